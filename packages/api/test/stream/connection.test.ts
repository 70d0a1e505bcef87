import type { ClientId, ConnectionNumber, UserId } from '@bellwire/common'
import t from 'tap'
import { Connection, type ConnectionHost, type Socket } from '../../src/stream/connection.ts'

/** A socket whose backlog the test sets. */
class Backlog implements Socket {
  buffered = 0
  readonly did: string[] = []

  send(frame: Uint8Array): number {
    this.did.push(Buffer.from(frame).toString())
    return this.buffered === 0 ? 1 : 0
  }

  getBufferedAmount(): number {
    return this.buffered
  }

  close(): void {
    this.did.push('cut')
  }

  end(code: number, reason: string): void {
    this.did.push(`end ${code} ${reason}`)
  }

  ping(): number {
    this.did.push('ping')
    return 1
  }
}

class Host implements ConnectionHost {
  readonly limits = { writeBufferSize: 100, channelBufferSize: 2 }
  readonly pagesAfter: number[] = []
  bufferUses = 0

  requestPage({ cursor }: Connection): void {
    this.pagesAfter.push(cursor)
  }

  channelBufferUsed(): void {
    this.bufferUses++
  }
}

function scene(cursor = 5, endsWithoutFrame = false) {
  const socket = new Backlog()
  const host = new Host()
  const connection = new Connection(socket, {
    number: 1 as ConnectionNumber,
    userId: 1 as UserId,
    clientId: 1 as ClientId,
    endsWithoutFrame,
    cursor,
  })
  function deliver(...ids: number[]): void {
    for (const id of ids) {
      const frame = Buffer.from(`m${id}`)
      connection.deliver(host, id, frame, () => Uint8Array.from(frame))
      // The lane's memory is used again as soon as deliver() has returned.
      frame.fill('?')
    }
  }
  return { socket, host, connection, deliver }
}

t.test('Connection sends at once while its socket takes it, each id once', (t) => {
  const { socket, connection, deliver } = scene()
  deliver(4, 5, 6, 6, 9)
  t.strictSame(socket.did, ['m6', 'm9'])
  t.equal(connection.cursor, 9)
  t.end()
})

t.test('Connection sends as long as its backlog is within the write buffer', (t) => {
  const { socket, host, deliver } = scene()
  socket.buffered = 100
  deliver(6)
  t.strictSame(socket.did, ['m6'])
  socket.buffered = 101
  deliver(7)
  t.strictSame(socket.did, ['m6'])
  t.equal(host.bufferUses, 1)
  t.end()
})

t.test(
  'Connection drops its buffer when that is full, and asks the log once it has drained',
  (t) => {
    const { socket, host, connection, deliver } = scene()
    socket.buffered = 101
    deliver(6)
    socket.buffered = 50
    deliver(7)
    t.strictSame(socket.did, [], 'nothing overtakes what waits')
    socket.buffered = 101
    deliver(8)
    t.equal(connection.state, 'behind')
    t.strictSame(host.pagesAfter, [])
    socket.buffered = 50
    connection.drained(host)
    t.strictSame(host.pagesAfter, [5], 'the buffer was full: the log has the rest')
    t.end()
  },
)

t.test('Connection goes on live when its buffer was enough', (t) => {
  const { socket, host, connection, deliver } = scene()
  socket.buffered = 101
  deliver(6, 7)
  socket.buffered = 100
  connection.drained(host)
  t.strictSame(socket.did, ['m6', 'm7'])
  deliver(8)
  t.strictSame(socket.did, ['m6', 'm7', 'm8'])
  t.strictSame(host.pagesAfter, [])
  t.end()
})

t.test('Connection takes no live frame while it catches up, and asks page by page', (t) => {
  const { socket, host, connection, deliver } = scene()
  connection.fallBehind(host)
  deliver(9)
  connection.pageRow(5, Buffer.from('m5'))
  connection.pageRow(6, Buffer.from('m6'))
  socket.buffered = 500
  connection.pageRow(7, Buffer.from('m7'))
  connection.pageEnd(host, false)
  t.strictSame(host.pagesAfter, [5], 'no further page before it has drained')
  socket.buffered = 0
  connection.drained(host)
  connection.drained(host)
  t.strictSame(host.pagesAfter, [5, 7])
  connection.pageRow(9, Buffer.from('m9'))
  connection.pageEnd(host, true)
  deliver(9, 10)
  t.strictSame(socket.did, ['m6', 'm7', 'm9', 'm10'])
  t.end()
})

t.test('Connection is void of all that was on its way when its worker died', (t) => {
  const { socket, host, connection, deliver } = scene()
  socket.buffered = 101
  deliver(6)
  connection.suspend()
  socket.buffered = 0
  connection.drained(host)
  t.strictSame(socket.did, [], 'the shard will send it again')
  connection.pageEnd(host, true)
  deliver(6)
  t.strictSame(socket.did, ['m6'])
  t.end()
})

t.test('Connection ends with a Close frame, but for clients that are deaf after one', (t) => {
  const usual = scene()
  usual.connection.end(1001, 'away')
  usual.connection.cut()
  t.strictSame(usual.socket.did, ['end 1001 away', 'cut'])
  const okHttp = scene(5, true)
  okHttp.connection.end(1001, 'away')
  t.strictSame(okHttp.socket.did, ['cut'])
  t.end()
})
