import type { ClientId, ConnectionNumber } from '@bellwire/common'
import t from 'tap'
import { Capture, UserState } from '../src/user-state.ts'

const [one, two, three] = [1, 2, 3] as [ConnectionNumber, ConnectionNumber, ConnectionNumber]

function client(id: number): ClientId {
  return id as ClientId
}

function threeConnections(): UserState {
  const user = new UserState(one, client(7))
  user.add(two, 0)
  user.add(three, client(7))
  return user
}

t.test('UserState hands frames to the connections that are not behind', (t) => {
  const user = threeConnections()
  t.strictSame(user.live(), [one, two, three])
  user.markBehind(two, null)
  t.strictSame(user.live(), [one, three])
  user.markLive(two)
  t.strictSame(user.live(), [one, two, three])
  t.equal(user.behind, null, 'a collection that is empty is given up')
  t.end()
})

t.test('UserState forgets a connection wholly', (t) => {
  const user = threeConnections()
  user.markBehind(two, null)
  user.remove(two)
  user.remove(two)
  t.notOk(user.has(two))
  t.equal(user.behind, null)
  t.strictSame(user.live(), [one, three])
  t.strictSame(user.clientIds, [7, 7], 'the clients stay beside their connections')
  t.end()
})

t.test('UserState names the connections of a client, and with 0 all', (t) => {
  const user = threeConnections()
  t.strictSame(user.ofClient(client(7)), [one, three])
  t.strictSame(user.ofClient(client(8)), [])
  const all = user.ofClient(0)
  user.remove(one)
  t.strictSame(all, [one, two, three], 'a copy, not the list that changes')
  t.end()
})

t.test('Capture keeps frames up to its bound, then none', (t) => {
  const capture = new Capture()
  const frame = Buffer.alloc(100_000)
  capture.add(1, frame)
  capture.add(2, frame)
  t.strictSame(
    capture.frames.map(({ id }) => id),
    [1, 2],
  )
  capture.add(3, frame)
  capture.add(4, Buffer.from('small'))
  t.ok(capture.overflowed)
  t.equal(capture.frames.length, 0, 'the log has them: no memory is held')
  t.end()
})
