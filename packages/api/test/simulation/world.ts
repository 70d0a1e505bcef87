/**
 * The parts of a simulation, put together: the gateway's message flow and the shard workers on
 * real lanes in one thread, the log and the sockets in memory. Each method is one thing that can
 * happen to a real server; what happens, and when, is decided by operations.ts.
 */
import {
  monotonicMs,
  shardOf,
  threadOf,
  type ClientId,
  type ShardIndex,
  type UserId,
} from '@bellwire/common'
import { createArena, GatewayRing } from '@bellwire/common/ring'
import type { GroupCommitLimits } from '@bellwire/shard-worker/testing'
import { MessageFlow } from '../../src/message-flow.ts'
import { Connection, type StreamLimits } from '../../src/stream/connection.ts'
import { FakeSocket } from './fake-socket.ts'
import { MemoryLog } from './memory-log.ts'
import type { Statement } from './memory-message-store.ts'
import { Promises, type Subscriber } from './promises.ts'
import { SimulatedWorker } from './simulated-worker.ts'

export interface WorldOptions {
  readonly shardCount: number
  readonly threadCount: number
  readonly laneBytes: number
  readonly streamLimits: StreamLimits
  readonly commitLimits: GroupCommitLimits
  readonly pageRows: number
  readonly pageBytes: number
  /** True where another process writes to the log, too. */
  readonly shared: boolean
}

export interface OpenSocket extends Subscriber {
  readonly socket: FakeSocket
  readonly clientId: ClientId | 0
}

export interface PublishRequest {
  readonly userId: UserId
  readonly tag: string
  readonly text: string
  readonly key: string
  readonly applicationId: number
  /** How the sender writes it: 'named' names its application in the body. */
  readonly form: 'json' | 'named' | 'multipart'
}

const NAME = Buffer.from('an application')
const BOUNDARY = 'bellwire'
/** Longer than any frame of a simulation, bytes. */
const LONGEST_FRAME = 300_000
/** What a shard keeps for a connection while its page is read, bytes. */
const CAPTURE_BYTES = 262_144

export class World {
  readonly options: WorldOptions
  readonly log = new MemoryLog()
  readonly promises = new Promises(this.log)
  readonly flow: MessageFlow
  readonly sockets = new Set<OpenSocket>()
  /** Null while a thread's worker is dead. */
  readonly workers: (SimulatedWorker | null)[] = []
  databaseUp = true
  readonly #ring: GatewayRing
  /** Sent by sessions that broke: may be executed until the next session of the thread begins. */
  readonly #doubtful: Statement[][] = []
  readonly #revoked = new Set<string>()
  #subscribers = 0

  constructor(options: WorldOptions) {
    this.options = options
    const { shardCount, threadCount, laneBytes, streamLimits } = options
    this.#ring = new GatewayRing(createArena({ shardCount, threadCount, laneBytes }))
    this.flow = new MessageFlow({
      lanes: this.#ring,
      shardCount,
      threadCount,
      limits: streamLimits,
      meter: {
        channelBufferUsed: () => undefined,
        catchUpStarted: () => undefined,
        framesSent: () => undefined,
      },
    })
    for (let thread = 0; thread < threadCount; thread++) {
      this.workers.push(null)
      this.#doubtful.push([])
      this.startWorker(thread)
    }
  }

  publish(request: PublishRequest): void {
    const { userId, tag, key } = request
    const publish = this.promises.published(tag, userId, key)
    const error = this.flow.router.publish(
      {
        userId,
        applicationName: NAME,
        defaultPriority: 0,
        query: '',
        idempotencyKey: key,
        receivedAt: monotonicMs(),
        ...encodeRequest(request),
      },
      {
        answered: (frame) => this.promises.answered(publish, Buffer.from(frame).toString()),
        failed: (failure) => this.promises.failed(publish, failure),
      },
    )
    if (error === null) return
    this.promises.failed(publish, error)
    this.promises.notStored(publish)
  }

  /** @returns what a client does that leaves before it is answered. */
  open(userId: UserId, clientId: ClientId | 0, after: number | null): () => void {
    const { openings, router, connections } = this.flow
    const name = `socket ${++this.#subscribers}`
    const acknowledged = this.promises.acknowledgedTo(userId)
    const newest = this.log.newest
    const number = openings.add(
      {
        userId,
        registered: ({ cursor, behind }) => {
          const opened = this.#openSocket({ name, userId, lastId: cursor, clientId })
          this.promises.opened(opened, after, acknowledged)
          const identity = { number, userId, clientId, endsWithoutFrame: false, cursor }
          const connection = new Connection(opened.socket, identity)
          this.#wire(opened, connection)
          connections.add(connection, behind)
        },
        refused: ({ code }) => {
          const wrong = `${name} was refused after ${after ?? 'now'}, the newest was ${newest}`
          if (code === 'BAD_REQUEST') this.promises.demand((after ?? 0) > newest, wrong)
        },
      },
      (taken) => connections.has(taken),
    )
    router.send({ kind: 'subscribe', connection: number, userId, clientId, after, resume: false })
    return () => {
      if (openings.drop(number)) router.send({ kind: 'unsubscribe', connection: number, userId })
    }
  }

  /** The client was deleted. */
  revoke(userId: UserId, clientId: ClientId): void {
    this.#revoked.add(`${userId} ${clientId}`)
    this.flow.router.send({ kind: 'revoke', userId, clientId })
  }

  /** After everything has come to rest. */
  checkRegistered(): void {
    this.promises.demand(this.flow.openings.size === 0, 'an upgrade waits for ever')
    const listening = new Set([...this.sockets].map(({ userId }) => userId)).size
    const registered = this.workers.reduce(
      (sum, worker) => sum + (worker?.shards.userCount ?? 0),
      0,
    )
    const ghosts = `${registered} users are registered, ${listening} have sockets`
    this.promises.demand(registered === listening, ghosts)
    for (const { name, userId, clientId } of this.sockets) {
      const revoked = this.#revoked.has(`${userId} ${clientId}`)
      this.promises.demand(!revoked, `${name} is open, client ${clientId} was deleted`)
    }
  }

  /** As the supervisor does it. */
  killWorker(thread: number): void {
    const worker = this.workers[thread] ?? null
    if (worker === null) return
    this.workers[thread] = null
    this.#doubtful[thread]?.push(...worker.kill())
    this.#ring.closeThread(thread)
    for (const shard of this.#shardsOf(thread)) this.flow.drainShard(shard)
    this.flow.threadDied(thread)
    this.#ring.resetThread(thread)
    this.flow.threadReplaced(thread)
  }

  startWorker(thread: number): void {
    if (this.workers[thread] !== null) return
    const { options, log } = this
    const { commitLimits: limits, shared, pageRows, pageBytes } = options
    const worker = new SimulatedWorker({
      ring: this.#ring,
      thread,
      shardCount: options.shardCount,
      limits,
      log,
      shared,
      pageRows,
      pageBytes,
    })
    this.workers[thread] = worker
    if (this.databaseUp) this.#connect(thread, worker)
  }

  loseDatabase(): void {
    this.databaseUp = false
    this.workers.forEach((_, thread) => this.breakConnection(thread))
  }

  /** The database is there, but a worker's connections break. */
  breakConnection(thread: number): void {
    const worker = this.workers[thread] ?? null
    if (worker !== null) this.#doubtful[thread]?.push(...worker.store.lose())
  }

  returnDatabase(): void {
    this.databaseUp = true
    this.workers.forEach((worker, thread) => {
      if (worker !== null && !worker.store.isUp) this.#connect(thread, worker)
    })
  }

  /** The database executes what a broken session had sent. */
  executeDoubtful(thread: number): void {
    this.#doubtful[thread]?.shift()?.execute()
  }

  /** A commit of another process; its hint comes later. */
  commitElsewhere(userId: UserId, tag: string): void {
    this.log.append({
      userId,
      applicationId: 1 as never,
      title: 'elsewhere',
      message: `${tag} from elsewhere`,
      priority: 1,
      extras: null,
      date: Date.now(),
      idempotencyKey: '',
      fingerprint: null,
    })
  }

  /** Other processes, and lost sessions, tell up to which id a user's messages go. */
  hint(userId: UserId): void {
    const messageId = this.log.newestOf(userId)
    const thread = threadOf(shardOf(userId, this.options.shardCount), this.options.threadCount)
    if (messageId > 0) this.workers[thread]?.hear(userId, messageId)
  }

  /** Most bytes that ever waited in the user space of a socket that is open. */
  get mostBuffered(): number {
    return Math.max(0, ...[...this.sockets].map(({ socket }) => socket.greatestBuffered))
  }

  /** The most that may wait there: the buffer and a frame, then a page and what came while it was read. */
  get bufferLimit(): number {
    const { streamLimits, pageBytes } = this.options
    return streamLimits.writeBufferSize + LONGEST_FRAME + pageBytes + CAPTURE_BYTES + LONGEST_FRAME
  }

  close(): void {
    for (const worker of this.workers) worker?.kill()
    this.flow.close()
    this.#ring.close()
  }

  #connect(thread: number, worker: SimulatedWorker): void {
    // Where one process writes, a new session begins when the ones before it have ended.
    if (!this.options.shared) this.#doubtful[thread] = []
    worker.store.connect()
  }

  #openSocket(subscriber: Subscriber & { clientId: ClientId | 0 }): OpenSocket {
    const opened: OpenSocket = {
      ...subscriber,
      socket: new FakeSocket({
        frame: (text) => this.promises.frame(opened, text),
        drained: () => this.#connections.get(opened)?.drained(this.flow.connections),
        closed: () => {
          const connection = this.#connections.get(opened)
          this.sockets.delete(opened)
          if (connection !== undefined) this.flow.connections.remove(connection)
        },
      }),
    }
    this.sockets.add(opened)
    return opened
  }

  readonly #connections = new WeakMap<OpenSocket, Connection>()

  #wire(opened: OpenSocket, connection: Connection): void {
    this.#connections.set(opened, connection)
  }

  *#shardsOf(thread: number): Iterable<ShardIndex> {
    const { shardCount, threadCount } = this.options
    for (let shard = 0 as ShardIndex; shard < shardCount; shard++) {
      if (threadOf(shard, threadCount) === thread) yield shard
    }
  }
}

function encodeRequest({ tag, text, applicationId, form }: PublishRequest): {
  readonly bodyKind: 'json' | 'multipart'
  readonly contentType: string
  readonly applicationId: never
  readonly body: Uint8Array
} {
  const message = `${tag} ${text}`
  const named = form === 'named' ? { appid: applicationId } : {}
  const json = JSON.stringify({ message, priority: 3, extras: { tag: [1.5] }, ...named })
  const part = `--${BOUNDARY}\r\ncontent-disposition: form-data; name="message"\r\n\r\n${message}\r\n`
  const multipart = form === 'multipart'
  return {
    bodyKind: multipart ? 'multipart' : 'json',
    contentType: multipart ? `multipart/form-data; boundary=${BOUNDARY}` : '',
    applicationId: (form === 'named' ? 0 : applicationId) as never,
    body: Buffer.from(multipart ? `${part}--${BOUNDARY}--\r\n` : json),
  }
}
