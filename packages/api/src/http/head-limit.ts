/** Evaluated in front of uWebSockets.js (uws.ts), which reads its limit when it is loaded. */
import { setHeadLimit } from '@bellwire/common/config'

setHeadLimit()
