/**
 * uWebSockets.js takes the greatest head of a request from the environment, when it is loaded. Its
 * builds for Node 22 and newer read 4 KiB otherwise, too little for a publish in the query or for
 * many cookies; the older ones read 64 KiB by themselves.
 */

/** Bytes of the request line and all headers. */
const MAX_HEAD_BYTES = 65_536
const FIRST_NODE_WITH_SMALL_HEADS = 22

/** Call it before uWebSockets.js is loaded. */
export function setHeadLimit(): void {
  if (Number.parseInt(process.versions.node, 10) < FIRST_NODE_WITH_SMALL_HEADS) return
  process.env['UWS_HTTP_MAX_HEADERS_SIZE'] ??= String(MAX_HEAD_BYTES)
}
