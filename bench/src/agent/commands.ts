/**
 * The words between the coordinator and its agents (child processes, Node IPC). An agent carries out one
 * command at a time and answers each with the result type named beside it.
 */
import type { Target } from '../wire/subscriber.ts'

export type Command =
  | OpenCommand
  | PublishCommand
  | ReconnectCommand
  | ReturnCommand
  /** Ends every socket and opens none: `return` goes on from the last ids. */
  | { readonly kind: 'drop' }
  /** Forgets what was received so far; deliveries with a stamp before `fromUs` stay out of the histogram. */
  | { readonly kind: 'reset-deliveries'; readonly fromUs: number }
  | { readonly kind: 'read-deliveries' }
  | { readonly kind: 'pause' }
  | { readonly kind: 'resume' }
  | { readonly kind: 'close' }

export interface OpenCommand {
  readonly kind: 'open'
  readonly target: Target
  /** Subscriber i uses token i modulo the list. */
  readonly tokens: readonly string[]
  readonly count: number
  /** Upgrades under way at a time. */
  readonly concurrency: number
  /** Source addresses, taken in turn; empty: the system chooses. */
  readonly localAddresses: readonly string[]
}

/** Ends every subscriber at one moment and opens it again at once, from the last id it has read. */
export interface ReconnectCommand {
  readonly kind: 'reconnect'
  readonly concurrency: number
  /** Where those start that have read nothing yet: an id that the server has given out. */
  readonly floorId: number
}

/**
 * Opens every dropped subscriber again, as a careful client does: after a random pause, with pauses that double, and
 * after the Retry-After of a refusal, never before.
 */
export interface ReturnCommand {
  readonly kind: 'return'
  readonly floorId: number
}

export interface PublishCommand {
  readonly kind: 'publish'
  readonly target: Target
  readonly tokens: readonly string[]
  readonly connections: number
  readonly messageBytes: number
  /** Messages a second, due at fixed moments; 0: closed loop, each connection sends when it is answered. */
  readonly ratePerSecond: number
  readonly startUs: number
  /** Requests due before this moment are warm-up and stay out of the figures. */
  readonly recordFromUs: number
  /** No request is due after this moment. */
  readonly endUs: number
  /** Ends earlier, after so many messages; 0: no such bound. */
  readonly messageLimit: number
  /** One token after the other; otherwise each message draws its token. */
  readonly inTurn?: boolean
}

export interface OpenResult {
  readonly opened: number
  readonly refused: number
  /** Those of them that were answered 503. */
  readonly overloaded: number
  readonly firstRefusal: string
  readonly seconds: number
  /** Connect call to 101, encoded histogram. */
  readonly handshake: string
}

export interface PublishResult {
  /** Answers 2xx, warm-up included. */
  readonly accepted: number
  /** Other answers and broken connections, warm-up included. */
  readonly failed: number
  /** Answers 2xx of the recorded time. */
  readonly recorded: number
  readonly recordedSeconds: number
  readonly firstUs: number
  /** Due moment to answer, encoded histogram. */
  readonly latency: string
  /** Due moment to the moment it was sent: what the load generator itself added. */
  readonly lag: string
}

export interface DeliveryResult {
  readonly frames: number
  readonly recorded: number
  readonly outOfOrder: number
  readonly lost: number
  readonly open: number
  readonly lastFrameUs: number
  /** Due moment to arrival, encoded histogram. */
  readonly latency: string
}

/** The result type of each command. */
export interface Results {
  readonly open: OpenResult
  readonly reconnect: OpenResult
  readonly return: OpenResult
  readonly drop: null
  readonly publish: PublishResult
  readonly 'read-deliveries': DeliveryResult
  readonly 'reset-deliveries': null
  readonly pause: null
  readonly resume: null
  readonly close: null
}

export type CommandKind = Command['kind']
export type Reply = { readonly result: Results[CommandKind] } | { readonly error: string }
