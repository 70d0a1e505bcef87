/**
 * Puts the stream's WebSocket behavior behind the server's guards: only /stream upgrades, nothing
 * that a callback throws ends the process, and closed sockets are counted. Gateway thread.
 */
import { PushError } from '@bellwire/common'
import type { Logger } from 'pino'
import type * as uws from 'uWebSockets.js'
import type { ConnectionLimit } from './connection-limit.ts'
import { normalizePath } from './path.ts'
import { endAbruptly, respondError } from './response.ts'

export const STREAM_PATH = '/stream'

/** GET /stream. */
export interface StreamEndpoint<Connection> {
  /**
   * Its upgrade must register onAborted or answer at once; no callback is asynchronous. `open` is
   * the one that is not guarded: it must be a builtin that cannot throw (StreamEndpoint.#accept).
   */
  readonly behavior: uws.WebSocketBehavior<Connection>
  /** Answers a GET /stream that asks for no upgrade. */
  refusePlain(res: uws.HttpResponse, req: uws.HttpRequest): void
}

/**
 * @param limit uWebSockets.js tells its filter of every new connection, but not of the end of an
 *   upgraded one
 */
export function guardBehavior<Connection>(
  behavior: uws.WebSocketBehavior<Connection>,
  limit: ConnectionLimit,
  log: Logger,
): uws.WebSocketBehavior<Connection> {
  function guarded<Args extends unknown[]>(
    callback: ((...args: Args) => void | Promise<void>) | undefined,
  ): (...args: Args) => void {
    return (...args) => {
      try {
        void callback?.(...args)
      } catch (error) {
        log.error({ err: error }, 'A stream callback failed')
      }
    }
  }
  return {
    ...behavior,
    upgrade: (res, req, context) => {
      const path = req.getUrl()
      if (path !== STREAM_PATH && normalizePath(path) !== STREAM_PATH) {
        req.setYield(true)
        return
      }
      try {
        if (limit.full) {
          const error = new PushError('OVERLOADED', 'too many connections, try again')
          respondError(res, error, undefined, { close: true })
          return
        }
        void behavior.upgrade?.(res, req, context)
      } catch (error) {
        log.error({ err: error }, 'An upgrade failed')
        endAbruptly(res)
      }
    },
    message: guarded(behavior.message),
    ...(behavior.drain && { drain: guarded(behavior.drain) }),
    ...(behavior.ping && { ping: guarded(behavior.ping) }),
    ...(behavior.pong && { pong: guarded(behavior.pong) }),
    close: (...args) => {
      limit.closed()
      guarded(behavior.close)(...args)
    },
  }
}
