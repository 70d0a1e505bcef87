/** Publishers that go on and on, what they were told, and what must be true of it afterwards. */
import type { Test } from 'tap'
import { type Answer, type ApiClient, idOf, type Identity } from '../support/api-client.ts'
import { openStream, type OpenOptions, type StreamClient } from '../support/ws-client.ts'

const PAUSE_AFTER_REFUSAL_MS = 10

/** Some publishers to one user, each with its next message as soon as the one before is answered. */
export class Traffic {
  /** Answers of status 200, the exact texts, in the order they came. */
  readonly acknowledged: string[] = []
  /** All other answers. */
  readonly refused: Answer[] = []
  /** Of each publisher: the greatest id so far. Must only grow. */
  readonly #newest: number[]
  readonly #publishers: Promise<void>[]
  #stopping = false
  /** Times that a publisher got a smaller id after a greater one. */
  disorders = 0

  constructor(api: ApiClient, to: Identity, publishers: number, size = 20) {
    const padding = 'x'.repeat(size)
    this.#newest = new Array<number>(publishers).fill(0)
    this.#publishers = this.#newest.map((_, publisher) => this.#run(api, to, publisher, padding))
  }

  /** Resolves when so many more were acknowledged. */
  async more(count: number): Promise<void> {
    const target = this.acknowledged.length + count
    while (this.acknowledged.length < target) await new Promise((resolve) => setTimeout(resolve, 5))
  }

  /** Resolves when every publisher has its last answer. */
  async stop(): Promise<void> {
    this.#stopping = true
    await Promise.all(this.#publishers)
  }

  async #run(api: ApiClient, to: Identity, publisher: number, padding: string): Promise<void> {
    for (let number = 0; !this.#stopping; number++) {
      const message = `${publisher} ${number} ${padding}`
      const answer = await api.publish(to.applicationToken, message)
      if (answer.status === 200) {
        this.acknowledged.push(answer.text)
        const id = idOf(answer.text)
        if (id <= (this.#newest[publisher] ?? 0)) this.disorders++
        this.#newest[publisher] = id
      } else {
        this.refused.push(answer)
        await new Promise((resolve) => setTimeout(resolve, PAUSE_AFTER_REFUSAL_MS))
      }
    }
  }
}

/** Opens several streams at once. */
export function openStreams(
  count: number,
  port: number,
  options: OpenOptions,
): Promise<StreamClient[]> {
  return Promise.all(Array.from({ length: count }, () => openStream(port, options)))
}

/** Ids of the history only grow, and it holds each acknowledged text as it was acknowledged. */
export function checkStored(
  t: Test,
  history: readonly string[],
  acknowledged: readonly string[],
): void {
  const stored = new Set(history)
  t.equal(stored.size, history.length, 'no message is stored twice')
  t.equal(
    acknowledged.filter((text) => !stored.has(text)).length,
    0,
    'nothing acknowledged is missing',
  )
  t.ok(onlyGrow(history.map(idOf)), 'ids grow')
}

/** Each stream got the history above its starting point: all of it, in order, once, the same text. */
export async function checkDelivered(
  t: Test,
  streams: readonly StreamClient[],
  history: readonly string[],
  after = 0,
): Promise<void> {
  const due = history.filter((text) => idOf(text) > after)
  await Promise.all(streams.map((stream) => stream.untilId(idOf(due.at(-1) ?? '{"id":0'))))
  for (const stream of streams) {
    t.equal(differenceOf(stream.texts, due), null, 'a stream gets every message once, in order')
    t.equal(stream.unterminated, 0, 'each frame is its text and a line feed')
  }
}

/** What a test says of answers that should not have come: how many, and the first. */
export function describeAnswers(answers: readonly Answer[]): string {
  const [first] = answers
  return first === undefined ? '' : `${answers.length}, first ${first.status} ${first.text}`
}

/** Refusals are 503 with Retry-After and an error that Gotify clients read. */
export function checkRefusals(t: Test, refused: readonly Answer[]): void {
  const others = refused.filter(
    ({ status, headers, text }) =>
      status !== 503 ||
      !(Number(headers['retry-after']) > 0) ||
      !text.startsWith('{"error":"Service Unavailable","errorCode":503,"errorDescription":"'),
  )
  t.same(others.slice(0, 1), [], 'who is refused is told to try again')
}

export function onlyGrow(ids: readonly number[]): boolean {
  return ids.every((id, index) => id > (ids[index - 1] ?? 0))
}

/** Says in a few words where two lists part; null when they are the same. */
function differenceOf(came: readonly string[], due: readonly string[]): string | null {
  const length = Math.max(came.length, due.length)
  for (let index = 0; index < length; index++) {
    if (came[index] !== due[index]) {
      return `${came.length} came, ${due.length} are due; number ${index} is ${came[index]?.slice(0, 80)}, not ${due[index]?.slice(0, 80)}`
    }
  }
  return null
}
