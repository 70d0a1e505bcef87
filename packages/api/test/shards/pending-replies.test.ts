import type { PushError } from '@bellwire/common'
import t from 'tap'
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
