/**
 * Lets starts on one port take turns: what looks free to one that starts looks free to all who start
 * in the same moment, and the system would let two of one user share it (SO_REUSEPORT). An abstract
 * socket of Linux holds the turn, and is gone with its process. Main thread; before the first look
 * at a port, and until somebody listens there.
 */
import { connect, createServer, type Server, type Socket } from 'node:net'
import type { Logger } from '@bellwire/common'
import { StartError } from './start-error.ts'

/** Longer than a start takes that has no old log to go through. */
const PATIENCE_MS = 60_000

export interface TurnOptions {
  /** 0 is no port. */
  readonly ports: readonly number[]
  /** Aborted when there will be no start. */
  readonly stopping: AbortSignal
  readonly log: Logger
}

/**
 * Does the work while nobody else does any for one of the ports.
 * @throws {StartError} when another one takes too long, {DOMException} AbortError when the wait is ended,
 * and what the work throws
 */
export async function inTurn<T>(
  { ports, stopping, log }: TurnOptions,
  work: () => Promise<T>,
): Promise<T> {
  const turns: Turn[] = []
  try {
    // In one order everywhere, so that no two wait for each other.
    for (const port of [...new Set(ports)].sort((a, b) => a - b)) {
      if (port === 0 || process.platform !== 'linux') continue
      turns.push(await Turn.take(port, stopping, log))
    }
    return await work()
  } finally {
    for (const turn of turns) turn.end()
  }
}

class Turn {
  readonly #server: Server
  /** Those that wait for its end. */
  readonly #waiting = new Set<Socket>()

  /** @param server listens on the name of the port */
  constructor(server: Server) {
    this.#server = server
    server.on('connection', (socket) => {
      this.#waiting.add(socket)
      socket.on('error', () => undefined)
      socket.on('close', () => this.#waiting.delete(socket))
    })
  }

  static async take(port: number, stopping: AbortSignal, log: Logger): Promise<Turn> {
    const name = `\0bellwire starts on port ${port}`
    const late = AbortSignal.timeout(PATIENCE_MS)
    const patience = AbortSignal.any([late, stopping])
    for (let tries = 0; !patience.aborted; tries++) {
      const server = createServer()
      if (await takes(server, name)) return new Turn(server)
      if (tries === 0) log.info({ port }, 'waits for another Bellwire that starts on this port')
      await untilEnd(name, patience)
    }
    stopping.throwIfAborted()
    throw new StartError(`Another Bellwire that starts on port ${port} does not come to an end`)
  }

  end(): void {
    this.#server.close()
    for (const socket of this.#waiting) socket.destroy()
  }
}

/** @returns false when somebody else has the name */
function takes(server: Server, name: string): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EADDRINUSE') resolve(false)
      else reject(error)
    })
    server.listen(name, () => resolve(true))
  })
}

/** Resolves when whoever has the name lets go of it, or dies, or patience ends. */
async function untilEnd(name: string, patience: AbortSignal): Promise<void> {
  const socket = connect(name)
  await new Promise<void>((resolve) => {
    socket.on('error', () => undefined)
    socket.on('close', () => resolve())
    patience.addEventListener('abort', () => socket.destroy(), { once: true })
    if (patience.aborted) socket.destroy()
  })
}
