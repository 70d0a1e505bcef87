import type { CorrelationId, PushError } from '@bellwire/common'
import t from 'tap'
import { type OpenExchange, OpenExchanges } from '../../src/http/open-exchanges.ts'
import { PendingReplies, type PendingReply } from '../../src/shards/pending-replies.ts'
import { RecentRevokes } from '../../src/shards/recent-revokes.ts'

const MINUTE = 60_000

function scene(t: { teardown(action: () => void): void }) {
  const pending = new PendingReplies()
  t.teardown(() => pending.close())
  const told: string[] = []
  function reply(name: string): PendingReply {
    return {
      answered: (frame) => told.push(`${name} ${Buffer.from(frame).toString()}`),
      failed: ({ code }: PushError) => told.push(`${name} ${code}`),
    }
  }
  return { pending, told, reply }
}

t.test('PendingReplies settles each publish once, whatever comes after', (t) => {
  const { pending, told, reply } = scene(t)
  const [a, b] = [pending.add(0, reply('a')), pending.add(0, reply('b'))]
  t.not(a, b)
  pending.answer(a, Buffer.from('frame'))
  pending.answer(a, Buffer.from('again'))
  pending.failThread(0)
  pending.expire(Date.now() + MINUTE)
  t.strictSame(told, ['a frame', 'b SHARD_RESTARTED'])
  t.equal(pending.size, 0)
  t.end()
})

t.test('PendingReplies fails the publishes of the thread that died, and no others', (t) => {
  const { pending, told, reply } = scene(t)
  pending.add(0, reply('a'))
  pending.add(1, reply('b'))
  pending.failThread(1)
  t.strictSame(told, ['b SHARD_RESTARTED'])
  t.end()
})

t.test('PendingReplies answers what took too long, before the 30 s are over', (t) => {
  const { pending, told, reply } = scene(t)
  pending.add(0, reply('a'))
  pending.expire(Date.now())
  t.strictSame(told, [])
  pending.expire(Date.now() + 29_000)
  t.strictSame(told, ['a OVERLOADED'])
  t.end()
})

t.test('PendingReplies forgets a publish that never reached its shard', async (t) => {
  const { pending, told, reply } = scene(t)
  pending.drop(pending.add(0, reply('a')))
  pending.failThread(0)
  t.strictSame(told, [])
  t.equal(pending.size, 0)
})

t.test('PendingReplies tells each of thousands what is its own, in any order', (t) => {
  const { pending, told, reply } = scene(t)
  const waiting: { readonly id: CorrelationId; readonly name: string }[] = []
  const due: string[] = []
  let random = 7
  for (let count = 0; count < 20_000; count++) {
    waiting.push({ id: pending.add(0, reply(String(count))), name: String(count) })
    // Some stay while the others come and go; at times nearly all go.
    random = (random * 1_103_515_245 + 12_345) % 2 ** 31
    const leave = random % 4_000 === 0 ? waiting.length - 3 : random % 2
    for (let gone = 0; gone < leave; gone++) {
      const [entry] = waiting.splice(random % waiting.length, 1)
      if (entry === undefined) continue
      pending.answer(entry.id, Buffer.from('frame'))
      due.push(`${entry.name} frame`)
    }
    if (pending.size !== waiting.length) t.fail(`${pending.size} wait, not ${waiting.length}`)
  }
  t.ok(waiting.length > 0)
  t.equal(new Set(waiting.map(({ id }) => id)).size, waiting.length)
  t.strictSame(told, due)
  pending.failThread(0)
  const failed = waiting.map(({ name }) => `${name} SHARD_RESTARTED`)
  t.strictSame(told.slice(due.length).sort(), failed.sort())
  t.equal(pending.size, 0)
  t.end()
})

t.test('OpenExchanges knows who is open, whoever leaves', (t) => {
  const open = new OpenExchanges<OpenExchange & { readonly name: string }>()
  const expired: string[] = []
  const all = Array.from({ length: 6 }, (_, index) => {
    return { name: `${index}`, place: -1, expire: () => expired.push(`${index}`) }
  })
  for (const exchange of all) open.add(exchange)
  for (const leaving of [all[2], all[5], all[0], all[2]]) if (leaving) open.delete(leaving)
  t.equal(open.size, 3)
  const names = (): string[] => open.all().map(({ name }) => name)
  t.strictSame(names().sort(), ['1', '3', '4'])
  for (const exchange of open.all()) open.delete(exchange)
  t.strictSame(names(), [])
  const [first] = all
  if (first !== undefined) open.add(first)
  t.strictSame(names(), ['0'])
  t.end()
})

t.test('RecentRevokes keeps each revoke for a minute, however often it is told', (t) => {
  const revokes = new RecentRevokes()
  const revoke = { kind: 'revoke', userId: 1, clientId: 2 } as never
  revokes.note(revoke, 0)
  revokes.note({ kind: 'revoke', userId: 1, clientId: 3 } as never, 1_000)
  revokes.note(revoke, MINUTE)
  t.equal(revokes.recent(MINUTE).length, 2)
  t.match(revokes.recent(MINUTE + 1), [{ clientId: 3 }])
  t.strictSame(revokes.recent(2 * MINUTE + 1_000), [])
  t.end()
})
