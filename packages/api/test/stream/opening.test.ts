import type { ConnectionNumber, UserId } from '@bellwire/common'
import { install } from '@sinonjs/fake-timers'
import t from 'tap'
import { Openings, type Opening } from '../../src/stream/opening.ts'

const USER = 1 as UserId

function scene() {
  const told: string[] = []
  const openings = new Openings((number, userId) => told.push(`give up ${number} of ${userId}`))
  function opening(name: string, userId = USER): Opening {
    return {
      userId,
      registered: ({ cursor }) => told.push(`${name} at ${cursor}`),
      refused: ({ code }) => told.push(`${name} ${code}`),
    }
  }
  return { openings, opening, told }
}

function nobody(): boolean {
  return false
}

function subscribed(connection: ConnectionNumber, cursor: number) {
  return { kind: 'subscribed', connection, cursor, behind: false } as const
}

t.test('Openings tells each upgrade once what its shard answered', (t) => {
  const { openings, opening, told } = scene()
  const [a, b] = [openings.add(opening('a'), nobody), openings.add(opening('b'), nobody)]
  t.ok(openings.registered(subscribed(a, 7)))
  t.notOk(openings.registered(subscribed(a, 8)))
  const code = 'DATABASE_UNAVAILABLE'
  openings.refused({ kind: 'refused', connection: b, code, description: '' })
  openings.failFor(() => true)
  t.strictSame(told, ['a at 7', 'b DATABASE_UNAVAILABLE'])
  openings.close()
  t.end()
})

t.test('Openings gives out no number that is taken', (t) => {
  const { openings, opening } = scene()
  const taken = new Set([1, 2, 4])
  const numbers = ['a', 'b'].map((name) => openings.add(opening(name), (each) => taken.has(each)))
  t.strictSame(numbers, [3, 5])
  openings.close()
  t.end()
})

t.test('Openings refuses the upgrades of the users whose worker died', (t) => {
  const { openings, opening, told } = scene()
  openings.add(opening('a'), nobody)
  openings.add(opening('b', 2 as UserId), nobody)
  openings.failFor((userId) => userId === USER)
  t.strictSame(told, ['a SHARD_RESTARTED'])
  t.equal(openings.size, 1)
  openings.close()
  t.end()
})

t.test(
  'Openings refuses an upgrade whose client was deleted, and has it taken off the shard',
  (t) => {
    const { openings, opening, told } = scene()
    const number = openings.add(opening('a'), nobody)
    openings.revoked([9 as ConnectionNumber, number])
    t.strictSame(told, [`give up ${number} of 1`, 'a UNAUTHENTICATED'])
    openings.close()
    t.end()
  },
)

t.test('Openings answers within 30 s and has what was late taken off the shard', (t) => {
  const clock = install({ toFake: ['setInterval', 'clearInterval', 'Date'] })
  const { openings, opening, told } = scene()
  try {
    const number = openings.add(opening('a'), nobody)
    const gone = openings.add(opening('gone'), nobody)
    t.ok(openings.drop(gone))
    clock.tick(20_000)
    t.strictSame(told, [])
    clock.tick(9_000)
    t.strictSame(told, [`give up ${number} of 1`, 'a OVERLOADED'])
  } finally {
    openings.close()
    clock.uninstall()
  }
  t.end()
})
