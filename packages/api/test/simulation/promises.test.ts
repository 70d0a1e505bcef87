/** The checker of the simulation, shown one violation of each kind. */
import {
  encodeMessage,
  encodeMessageTail,
  PushError,
  type ApplicationId,
  type UserId,
} from '@bellwire/common'
import t from 'tap'
import { MemoryLog, type LogRow } from './memory-log.ts'
import { Promises, type Subscriber } from './promises.ts'

const USER = 1 as UserId
const UNAVAILABLE = new PushError('DATABASE_UNAVAILABLE', 'away')

function scene() {
  const log = new MemoryLog()
  const promises = new Promises(log)
  function commit(tag: string, idempotencyKey = '', userId = USER): LogRow {
    return log.append({
      userId,
      applicationId: 1 as ApplicationId,
      title: 'title',
      message: `${tag} text`,
      priority: 0,
      extras: null,
      date: 0,
      idempotencyKey,
      fingerprint: null,
    })
  }
  const subscriber: Subscriber = { name: 'socket', userId: USER, lastId: 0 }
  return { log, promises, commit, subscriber }
}

function frameOf(row: LogRow): string {
  return `${encodeMessage(row.id, encodeMessageTail(row))}\n`
}

t.test('Promises finds nothing wrong with a server that keeps them', (t) => {
  const { promises, commit, subscriber } = scene()
  const publishes = ['a', 'b'].map((tag) => promises.published(tag, USER, ''))
  for (const publish of publishes) {
    const frame = frameOf(commit(publish.tag))
    promises.answered(publish, frame)
    promises.frame(subscriber, frame)
  }
  const gone = commit('gone')
  gone.deleted = true
  promises.frame(subscriber, frameOf(commit('c')))
  promises.failed(promises.published('d', USER, ''), UNAVAILABLE)
  promises.atRest([subscriber])
  t.strictSame(promises.violations, [])
  t.end()
})

t.test('Promises sees each kind of wrong frame', (t) => {
  const { promises, commit, subscriber } = scene()
  const [first, second, third] = [commit('a'), commit('b'), commit('c')]
  promises.frame(subscriber, frameOf({ ...first, id: 99 }))
  promises.frame(subscriber, frameOf(second))
  promises.frame(subscriber, frameOf(second))
  promises.frame(subscriber, frameOf({ ...third, priority: 9 }))
  promises.frame(subscriber, frameOf(commit('e', '', 2 as UserId)))
  t.match(promises.violations, [
    /99 is not committed/,
    /got 2 after 0, without 1/,
    /got 2 after 2/,
    /the text of 3 is not the log's/,
    /message 4 of user 2/,
  ])
  t.end()
})

t.test('Promises sees each kind of wrong answer', (t) => {
  const { promises, commit } = scene()
  const rows = [commit('a'), commit('b')]
  const first = promises.published('b', USER, '')
  promises.answered(first, frameOf(rows[1] ?? commit('b')))
  promises.failed(first, UNAVAILABLE)
  promises.answered(promises.published('a', USER, ''), frameOf(rows[0] ?? commit('a')))
  promises.answered(promises.published('c', USER, ''), frameOf(commit('other')))
  promises.answered(promises.published('d', USER, 'key'), frameOf(commit('d', 'other key')))
  commit('e')
  promises.failed(promises.published('e', USER, ''), new PushError('BAD_REQUEST', 'no'))
  t.match(promises.violations, [
    /b was answered twice/,
    /a got id 1, after 2 was given/,
    /c got another's answer/,
    /d got another key's answer/,
    /e was refused and is in the log/,
  ])
  t.end()
})

t.test('Promises sees what is missing when everything has come to rest', (t) => {
  const { promises, commit, subscriber } = scene()
  commit('twice')
  commit('twice')
  promises.published('twice', USER, '').outcome = 'acknowledged'
  promises.published('never', USER, '').outcome = 'acknowledged'
  promises.published('silent', USER, '')
  promises.atRest([subscriber])
  t.match(promises.violations, [
    /stopped at 0, without 1,2/,
    /twice is in the log more than once/,
    /never was acknowledged and is not in the log/,
    /silent was never answered/,
  ])
  t.end()
})

t.test('Promises sees a subscriber that starts at the wrong place', (t) => {
  const { promises, commit, subscriber } = scene()
  const row = commit('a')
  promises.opened({ ...subscriber, lastId: 3 }, 2, 0)
  promises.opened({ ...subscriber, lastId: 5 }, null, 0)
  promises.opened({ ...subscriber, lastId: 0 }, null, row.id)
  t.match(promises.violations, [/asked for after 2/, /ids of the future/, /acknowledged long ago/])
  t.end()
})
