/**
 * What a proof writes down while it runs: plain records, and nothing that was concluded from them. Filled by load/ and
 * fleet/, read by the checker (check.ts). Times are milliseconds of this process's monotonic clock.
 */

/** One time that a publish was sent. */
export interface Attempt {
  readonly host: number
  readonly sentAt: number
  readonly endedAt: number
  /** 0: the connection broke before an answer was there. */
  readonly status: number
  /** Id in the answer, 0 for any answer but 200. */
  readonly id: number
  /** Digest of the answer's text, '' for any answer but 200. */
  readonly text: string
}

/** One message as its sender means it: with a key sent again and again until it is acknowledged, without one once. */
export interface Publish {
  readonly user: number
  readonly key: string | null
  /** Digest of the message, different for every publish. */
  readonly digest: string
  readonly attempts: Attempt[]
}

/** One row of the table of messages. */
export interface Row {
  readonly id: number
  readonly user: number
  readonly key: string | null
  readonly digest: string
}

/** One message that came out of a stream. */
export interface Frame {
  readonly id: number
  /** Digest of the message. */
  readonly digest: string
  /** Digest of the whole text. */
  readonly text: string
}

/** One stream, from its 101 to its end. */
export interface Stream {
  readonly subscriber: number
  readonly user: number
  readonly host: number
  /** What it asked for by `after=`; null: everything from now on. */
  readonly after: number | null
  readonly askedAt: number
  /** When the whole 101 had been read. */
  readonly openedAt: number
  readonly frames: Frame[]
  /** True for the one that a subscriber held when everything was healed and drained. */
  held: boolean
}

/** An offer of a stream that was not taken; status 0: the connection broke, or the proof was over before an answer. */
export interface Refusal {
  readonly subscriber: number
  readonly host: number
  readonly after: number | null
  readonly askedAt: number
  readonly endedAt: number
  readonly status: number
}

/** The end of a Bellwire process. */
export interface Ending {
  readonly host: number
  readonly at: number
  /** Exit status, or the name of a signal. */
  readonly how: string
  /** False when nobody had asked for it. */
  readonly asked: boolean
}

export interface History {
  /** Hosts that were not healthy a good while after the last fault. */
  readonly ill: number[]
  /** Everybody who wants a stream, also those that never had one. */
  readonly subscribers: number[]
  /** Subscribers that had no stream when their time to come back was up. */
  readonly absent: number[]
  readonly publishes: Publish[]
  readonly streams: Stream[]
  readonly refusals: Refusal[]
  readonly endings: Ending[]
  /** Read from the table when everything had come to rest, by id. */
  rows: readonly Row[]
}

export function emptyHistory(): History {
  return {
    ...{ ill: [], subscribers: [], absent: [] },
    ...{ publishes: [], streams: [], refusals: [], endings: [], rows: [] },
  }
}
