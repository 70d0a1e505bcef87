/** uWebSockets.js, loaded with our limits: everybody takes it from here. Gateway thread. */
import './head-limit.ts'
import uWS from 'uWebSockets.js'

export { uWS }
