/** The raw wire: frames and answers that arrive in pieces. */
import t from 'tap'
import { FrameReader, pongFrame } from '../src/wire/frame-reader.ts'
import { completeStatus, prepareRequest } from '../src/wire/publisher.ts'

function frame(opcode: number, payload: string): Buffer {
  const bytes = Buffer.from(payload)
  if (bytes.length < 126) return Buffer.concat([Buffer.from([0x80 | opcode, bytes.length]), bytes])
  const head = Buffer.alloc(bytes.length < 65_536 ? 4 : 10)
  head[0] = 0x80 | opcode
  head[1] = bytes.length < 65_536 ? 126 : 127
  if (bytes.length < 65_536) head.writeUInt16BE(bytes.length, 2)
  else head.writeBigUInt64BE(BigInt(bytes.length), 2)
  return Buffer.concat([head, bytes])
}

t.test('FrameReader gives the same frames wherever the bytes are cut', (t) => {
  const texts = ['{"id":1}', 'x'.repeat(125), 'y'.repeat(126), 'z'.repeat(300), '']
  const bytes = Buffer.concat(texts.map((text) => frame(1, text)))
  for (let cut = 0; cut <= bytes.length; cut += 1) {
    const seen: string[] = []
    const reader = new FrameReader()
    for (const piece of [bytes.subarray(0, cut), bytes.subarray(cut)]) {
      reader.push(piece, (_, payload) => seen.push(payload.toString()))
    }
    if (JSON.stringify(seen) !== JSON.stringify(texts)) t.fail(`cut at ${cut}`, { seen })
  }
  t.end()
})

t.test('FrameReader reads a 64-bit length, and keeps what its caller overwrites', (t) => {
  const text = 'a'.repeat(70_000)
  const bytes = frame(1, text)
  const seen: string[] = []
  const reader = new FrameReader()
  const shared = Buffer.alloc(bytes.length)
  for (let at = 0; at < bytes.length; at += 1000) {
    const size = bytes.copy(shared, 0, at, at + 1000)
    reader.push(shared.subarray(0, size), (_, payload) => seen.push(payload.toString()))
    shared.fill(0)
  }
  t.strictSame(seen, [text])
  t.end()
})

t.test('pongFrame masks with zeros, so the payload stays readable', (t) => {
  t.strictSame([...pongFrame(Buffer.from('hi'))], [0x8a, 0x82, 0, 0, 0, 0, 0x68, 0x69])
  t.end()
})

t.test('completeStatus waits for the whole body', (t) => {
  const plain = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello'
  t.equal(completeStatus(plain), 200)
  t.equal(completeStatus(plain.slice(0, -1)), null)
  t.equal(completeStatus('HTTP/1.1 200 OK\r\nContent-Len'), null)
  const chunked = 'HTTP/1.1 503 Busy\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n'
  t.equal(completeStatus(chunked), 503)
  t.equal(completeStatus(chunked.slice(0, -4)), null)
  t.end()
})

t.test('prepareRequest announces exactly the bytes that are sent', (t) => {
  const { head, tail } = prepareRequest({ host: 'h', port: 1 }, 'token', 200)
  const request = head + '0'.repeat(16) + tail
  const body = request.slice(request.indexOf('\r\n\r\n') + 4)
  t.match(request, `Content-Length: ${body.length}\r\n`)
  const { message } = JSON.parse(body) as { message: string }
  t.equal(message.length, 200)
  t.end()
})
