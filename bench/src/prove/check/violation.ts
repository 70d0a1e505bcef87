/** What the checker may find, each kind with the promise that it breaks. */
export const PROMISES = {
  'acknowledged, not stored': 'a publish that was answered 200 is committed',
  'acknowledged, stored otherwise': 'the row holds what was sent, under the id that was answered',
  'stored, never sent': 'every row is a message that somebody sent',
  'stored twice': 'a publish is stored once: with a key however often it is sent, without one too',
  'one key, two answers': 'every 200 for one key is the same text',
  'id below an earlier one':
    'a publish sent after another of the user was acknowledged has a greater id',
  'wrong answer': 'a correct publish is answered 200, 503 or not at all',
  'answered late': 'every request is answered, or its connection closed, in time',
  'never acknowledged': 'with a key a publish gets through when faults are over',
  'delivered, not stored': 'no frame without its row',
  'delivered otherwise': 'frame, row and answer are the same message',
  'delivered twice': 'no stream brings a message twice',
  'out of order': 'ids of a stream strictly increase, and begin above its starting point',
  gap: 'a stream leaves no message out',
  'missed after the 101': 'a stream without after brings every message sent after its 101',
  'head not reached': 'when faults are over every subscriber gets everything',
  'stream refused': 'an offer of a stream is taken, or refused for a while (503)',
  'subscriber could not come back':
    'when faults are over every subscriber gets a stream, and keeps it',
  'not healthy again': 'when faults are over every process gets well by itself',
  'ended by itself': 'a process ends when it is told to, and with status 0',
} as const

export type ViolationKind = keyof typeof PROMISES

export interface Violation {
  readonly kind: ViolationKind
  /** Ids, numbers and times, for whoever looks for the reason. */
  readonly detail: string
}

/** Takes what is found. */
export type Report = (kind: ViolationKind, detail: string) => void
