import { setTimeout as sleep } from 'node:timers/promises'
import t from 'tap'
import { GatheredReads } from '../src/gathered-reads.ts'

interface HeldQuery {
  readonly asks: readonly number[]
  answer(answers: readonly string[]): Promise<void>
  fail(error: Error): Promise<void>
}

/** Reads whose queries wait until the test ends them; resolved, all that follows has happened. */
function held(most = 100): { reads: GatheredReads<number, string>; queries: HeldQuery[] } {
  const queries: HeldQuery[] = []
  const query = (asks: readonly number[]): Promise<readonly string[]> =>
    new Promise((resolve, reject) =>
      queries.push({
        asks,
        answer: (answers) => {
          resolve(answers)
          return nextTurn()
        },
        fail: (error) => {
          reject(error)
          return nextTurn()
        },
      }),
    )
  return { reads: new GatheredReads(query, most), queries }
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve))
}

function asked(queries: readonly HeldQuery[]): (readonly number[])[] {
  return queries.map(({ asks }) => asks)
}

t.test(
  'GatheredReads asks once for a turn of the loop, and gives each its own answer',
  async (t) => {
    const { reads, queries } = held()
    const early = [reads.read(3), reads.read(1)]
    await Promise.resolve()
    const answers = Promise.all([...early, reads.read(3)])
    t.strictSame(asked(queries), [])
    await nextTurn()
    t.strictSame(asked(queries), [[3, 1, 3]])
    await queries[0]?.answer(['a', 'b', 'c'])
    t.strictSame(await answers, ['a', 'b', 'c'])
  },
)

t.test('GatheredReads gathers while a query is under way, and asks after its answer', async (t) => {
  const { reads, queries } = held()
  const first = reads.read(1)
  await nextTurn()
  const second = reads.read(2)
  await nextTurn()
  const third = reads.read(3)
  await nextTurn()
  t.strictSame(asked(queries), [[1]])
  await queries[0]?.answer(['one'])
  t.equal(await first, 'one')
  await nextTurn()
  t.strictSame(asked(queries), [[1], [2, 3]])
  await queries[1]?.answer(['two', 'three'])
  t.strictSame(await Promise.all([second, third]), ['two', 'three'])
})

t.test(
  'GatheredReads waits half a second for a query that hangs, and has three at most',
  async (t) => {
    const { reads, queries } = held()
    const answers = [1, 2, 3, 4, 5].map(async (ask) => {
      // Each after the one before was found late, but for the last two.
      while (queries.length < Math.min(ask, 4) - 1) await nextTurn()
      return reads.read(ask)
    })
    while (queries.length < 3) await nextTurn()
    await sleep(700)
    t.strictSame(asked(queries), [[1], [2], [3]])
    await queries[1]?.answer(['two'])
    t.equal(await answers[1], 'two')
    while (queries.length < 4) await nextTurn()
    t.strictSame(asked(queries).at(-1), [4, 5])
    await queries[0]?.answer(['one'])
    await queries[3]?.answer(['four', 'five'])
    await queries[2]?.answer(['three'])
    t.strictSame(await Promise.all(answers), ['one', 'two', 'three', 'four', 'five'])
  },
)

t.test('GatheredReads bounds a query: a crowd is asked for in several, in order', async (t) => {
  const { reads, queries } = held(2)
  const answers = Promise.all([1, 2, 3, 4, 5].map((ask) => reads.read(ask)))
  for (const size of [2, 2, 1]) {
    await nextTurn()
    const asks = queries.at(-1)?.asks ?? []
    t.equal(asks.length, size)
    await queries.at(-1)?.answer(asks.map((ask) => `${ask}!`))
  }
  t.strictSame(await answers, ['1!', '2!', '3!', '4!', '5!'])
})

t.test('GatheredReads fails all that a failed query was asked, and nothing after it', async (t) => {
  const { reads, queries } = held(2)
  const outcomes = Promise.allSettled([1, 2, 3].map((ask) => reads.read(ask)))
  const away = new Error('away')
  await nextTurn()
  await queries[0]?.fail(away)
  await nextTurn()
  await queries[1]?.answer(['three'])
  t.strictSame(await outcomes, [
    { status: 'rejected', reason: away },
    { status: 'rejected', reason: away },
    { status: 'fulfilled', value: 'three' },
  ])
})

t.test('GatheredReads takes a query that throws at once for one that failed', async (t) => {
  const reads = new GatheredReads<number, string>(() => {
    throw new Error('closed')
  }, 10)
  await t.rejects(reads.read(1), { message: 'closed' })
  await t.rejects(reads.read(2), { message: 'closed' })
})

t.test('GatheredReads leaves nobody waiting when answers are missing', async (t) => {
  const { reads, queries } = held()
  const answers = Promise.all([reads.read(1), reads.read(2)])
  await Promise.all([
    t.rejects(answers, { code: 'INTERNAL' }),
    nextTurn().then(() => queries[0]?.answer(['one'])),
  ])
})
