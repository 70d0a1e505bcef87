/** The checker of the proof: a history that keeps every promise passes, and each kind of violation, planted, is found. */
import t from 'tap'
import { check } from '../../src/prove/check/check.ts'
import {
  emptyHistory,
  type Attempt,
  type Frame,
  type History,
  type Publish,
  type Row,
  type Stream,
} from '../../src/prove/check/history.ts'
import { PROMISES, type ViolationKind } from '../../src/prove/check/violation.ts'

/** Histories are taken apart and put together wrong, so nothing of them is read-only here. */
type Open<T> = { -readonly [Key in keyof T]: T[Key] }

function at<Item>(items: readonly Item[], index: number): Open<Item> {
  const item = items.at(index)
  if (item === undefined) throw new Error(`No item ${index}`)
  return item
}

function attempt(sentAt: number, id: number, digest: string): Attempt {
  const answer = { status: 200, id, text: `text of ${digest}` }
  return { host: 0, sentAt, endedAt: sentAt + 5, ...answer }
}

/** Message n of user 0 has id 10 n and is sent at n seconds; every second one has a key. */
function kept(): History {
  const history = emptyHistory()
  const rows: Row[] = []
  for (let number = 1; number <= 6; number++) {
    const digest = `m${number}`
    const key = number % 2 === 0 ? `k${number}` : null
    const attempts = [attempt(number * 1000, number * 10, digest)]
    history.publishes.push({ user: 0, key, digest, attempts })
    rows.push({ id: number * 10, user: 0, key, digest })
  }
  // Answered 503: one is stored all the same, one is not; one of another user.
  for (const [digest, id, user] of [
    ['s1', 65, 0],
    ['s2', 0, 0],
    ['o1', 70, 1],
  ] as const) {
    const refused = { ...attempt(7000, 0, digest), status: 503, id: 0, text: '' }
    history.publishes.push({ user, key: null, digest, attempts: [refused] })
    if (id > 0) rows.push({ id, user, key: null, digest })
  }
  const frames = (from: number): Frame[] =>
    rows
      .filter(({ id, user }) => user === 0 && id > from)
      .map(({ id, digest }) => ({ id, digest, text: `text of ${digest}` }))
  const stream = { subscriber: 0, user: 0, host: 0, askedAt: 490, openedAt: 500, held: true }
  history.subscribers.push(0, 1, 2)
  history.streams.push(
    { ...stream, after: 0, frames: frames(0) },
    { ...stream, subscriber: 1, after: 30, frames: frames(30).slice(0, 2), held: false },
    { ...stream, subscriber: 1, after: 50, frames: frames(50), openedAt: 5500 },
    // Its "now" lay before a message that was sent a little earlier.
    { ...stream, subscriber: 2, after: null, frames: frames(20), openedAt: 3002 },
    { ...stream, subscriber: 2, after: null, frames: [], openedAt: 7500 },
  )
  history.refusals.push(
    { subscriber: 0, host: 1, after: 0, askedAt: 0, endedAt: 10, status: 503 },
    { subscriber: 0, host: 1, after: 0, askedAt: 20, endedAt: 30, status: 0 },
  )
  history.endings.push({ host: 0, at: 9000, how: 'SIGKILL', asked: true })
  history.rows = rows
  return history
}

/** One history after the other that breaks one promise. */
const planted: readonly [string, ViolationKind, (history: History) => void][] = [
  [
    'an acknowledged message has no row',
    'acknowledged, not stored',
    (history) => {
      history.rows = history.rows.filter(({ id }) => id !== 30)
      for (const { frames } of history.streams) {
        const index = frames.findIndex(({ id }) => id === 30)
        if (index !== -1) frames.splice(index, 1)
      }
    },
  ],
  [
    'a row belongs to another user than its publish',
    'acknowledged, stored otherwise',
    (history) => {
      history.publishes.push(publishOf('other', 80))
      history.rows = [...history.rows, { id: 80, user: 1, key: null, digest: 'other' }]
    },
  ],
  [
    'a row has lost its key',
    'acknowledged, stored otherwise',
    (history) => (at(history.rows, 1).key = null),
  ],
  [
    'a row is there that nobody sent',
    'stored, never sent',
    (history) => {
      history.rows = [...history.rows, { id: 90, user: 1, key: null, digest: 'phantom' }]
    },
  ],
  [
    'a publish without an answer was stored twice',
    'stored twice',
    (history) => {
      history.rows = [...history.rows, { id: 91, user: 1, key: null, digest: 'o1' }]
    },
  ],
  [
    'a second 200 for a key names another id',
    'one key, two answers',
    (history) => at(history.publishes, 1).attempts.push(attempt(2500, 30, 'm2')),
  ],
  [
    'a second 200 for a key has another text',
    'one key, two answers',
    (history) => at(history.publishes, 1).attempts.push({ ...attempt(2500, 20, 'm2'), text: '' }),
  ],
  [
    'a later publish has a smaller id',
    'id below an earlier one',
    (history) => {
      const publish = at(history.publishes, 1)
      publish.attempts = [attempt(3500, 20, 'm2')]
    },
  ],
  [
    'a correct publish is answered 400',
    'wrong answer',
    (history) => (at(at(history.publishes, 7).attempts, 0).status = 400),
  ],
  [
    'a publish waits a minute',
    'answered late',
    (history) => (at(at(history.publishes, 7).attempts, 0).endedAt = 67_000),
  ],
  [
    'an offer of a stream waits a minute',
    'answered late',
    (history) => (at(history.refusals, 1).endedAt = 60_020),
  ],
  [
    'a frame has no row',
    'delivered, not stored',
    (history) => at(history.streams, 0).frames.push({ id: 99, digest: 'x', text: 'x' }),
  ],
  [
    'a frame is of another user',
    'delivered, not stored',
    (history) => at(history.streams, 0).frames.push({ id: 70, digest: 'o1', text: 'text of o1' }),
  ],
  [
    'a frame holds another message',
    'delivered otherwise',
    (history) => (at(at(history.streams, 0).frames, 0).digest = 'm2'),
  ],
  [
    'a frame has another text than the answer',
    'delivered otherwise',
    (history) => (at(at(history.streams, 0).frames, 0).text = 'text'),
  ],
  [
    'two frames of one message have different texts, and nobody was answered',
    'delivered otherwise',
    (history) => (at(at(history.streams, 0).frames, -1).text = 'text'),
  ],
  [
    'a frame comes again',
    'delivered twice',
    (history) => at(history.streams, 0).frames.push(at(at(history.streams, 0).frames, 2)),
  ],
  [
    'two frames have changed places',
    'out of order',
    (history) => {
      const { frames } = at(history.streams, 0)
      frames.splice(2, 2, at(frames, 3), at(frames, 2))
    },
  ],
  [
    'a frame lies before the starting point',
    'out of order',
    (history) => at(history.streams, 1).frames.unshift(at(at(history.streams, 0).frames, 2)),
  ],
  ['the first message is left out', 'gap', (history) => at(history.streams, 1).frames.shift()],
  ['a message is left out', 'gap', (history) => at(history.streams, 0).frames.splice(2, 1)],
  [
    'a message sent after the 101 is left out',
    'missed after the 101',
    (history) => at(history.streams, 3).frames.splice(0, 2),
  ],
  [
    'the last message does not come',
    'head not reached',
    (history) => at(history.streams, 0).frames.pop(),
  ],
  [
    'nothing comes, and something was sent',
    'head not reached',
    (history) => (at(history.streams, 4).openedAt = 5500),
  ],
  [
    'a 101 waits a minute',
    'answered late',
    (history) => (at(history.streams, 0).askedAt = 500 - 60_000),
  ],
  [
    'a subscriber has only streams that ended',
    'subscriber could not come back',
    (history) => (at(history.streams, 0).held = false),
  ],
  [
    'a subscriber is refused from the first time on',
    'subscriber could not come back',
    (history) => {
      history.subscribers.push(3)
      history.refusals.push({ ...at(history.refusals, 0), subscriber: 3 })
    },
  ],
  [
    'a subscriber comes back when its time is up',
    'subscriber could not come back',
    (history) => history.absent.push(2),
  ],
  [
    'an id that was given out is refused',
    'stream refused',
    (history) => (at(history.refusals, 0).status = 400),
  ],
  [
    'a publish with a key never gets through',
    'never acknowledged',
    (history) => (at(at(history.publishes, 1).attempts, 0).status = 503),
  ],
  ['a process stays ill', 'not healthy again', (history) => history.ill.push(1)],
  [
    'a process ends and nobody asked it to',
    'ended by itself',
    (history) => (at(history.endings, 0).asked = false),
  ],
]

function publishOf(digest: string, id: number): Publish {
  return { user: 0, key: null, digest, attempts: [attempt(9000, id, digest)] }
}

t.test('check finds nothing where every promise was kept', async (t) => {
  t.same(check(kept()), [])
})

t.test('check finds each violation that is planted', async (t) => {
  for (const [name, kind, plant] of planted) {
    const history = kept()
    plant(history)
    const kinds = check(history).map((violation) => violation.kind)
    t.ok(kinds.includes(kind), `${kind}: ${name}`, { kinds })
  }
  const kinds = new Set(planted.map(([, kind]) => kind))
  t.same(
    Object.keys(PROMISES).filter((kind) => !kinds.has(kind as ViolationKind)),
    [],
  )
})

t.test(
  'check takes a stream that broke in the middle, and a publish of unknown fate',
  async (t) => {
    const history = kept()
    for (const stream of history.streams as Open<Stream>[]) {
      stream.held = false
      stream.frames.splice(1)
    }
    const last = { user: 0, host: 1, after: 65, askedAt: 8000, openedAt: 8010, frames: [] }
    for (const subscriber of history.subscribers) {
      history.streams.push({ ...last, subscriber, held: true })
    }
    at(history.publishes, 0).attempts.unshift({ ...attempt(900, 0, 'm1'), status: 0, text: '' })
    t.same(check(history), [])
  },
)

t.test('check names each subscriber, once, where nobody holds a stream', async (t) => {
  const history = kept()
  for (const stream of history.streams) stream.held = false
  history.absent.push(...history.subscribers)
  const found = check(history)
  t.same(
    found.map(({ kind }) => kind),
    history.subscribers.map(() => 'subscriber could not come back'),
  )
  t.match(found[0]?.detail, 'subscriber 0: refused 2 times, at last by host 1 with 0')
})
