/** A socket that stops reading, on the simulation's world: what it holds is bounded, what it gets is all. */
import type { UserId } from '@bellwire/common'
import { install } from '@sinonjs/fake-timers'
import t from 'tap'
import { World } from './world.ts'

const USER = 1 as UserId
const MESSAGES = 400
const TEXT = 'x'.repeat(8_000)
const nextTurn = setImmediate

t.test(
  '[LIM1] [DLV20] A connection that stops reading holds a page at most and gets everything later',
  async (t) => {
    const clock = install({
      toFake: [
        'setTimeout',
        'clearTimeout',
        'setInterval',
        'clearInterval',
        'setImmediate',
        'Date',
      ],
    })
    const world = new World({
      shardCount: 1,
      threadCount: 1,
      laneBytes: 65_536,
      streamLimits: { writeBufferSize: 8_192, channelBufferSize: 10 },
      commitLimits: {
        eagerRows: 16,
        maxRows: 50,
        maxBytes: 1_000_000,
        maxInFlight: 2,
        maxWaitingBytes: 16_777_216,
      },
      pageRows: 100,
      pageBytes: 262_144,
      shared: false,
    })
    async function move(): Promise<void> {
      world.flow.pump.turn()
      for (const worker of world.workers) {
        worker?.turn()
        worker?.store.executeNext()
        worker?.store.answerNext()
        worker?.store.executeRead(0)
        worker?.store.answerRead(0)
      }
      clock.tick(1)
      await new Promise((resolve) => nextTurn(resolve))
    }
    try {
      world.open(USER, 0, null)
      while (world.sockets.size === 0) await move()
      for (const { socket } of world.sockets) socket.stopReading()
      for (let number = 0; number < MESSAGES; number++) {
        const form = 'json'
        world.publish({
          userId: USER,
          tag: `p${number}`,
          text: TEXT,
          key: '',
          applicationId: 1,
          form,
        })
        await move()
        // Some of it gets through, so that pages are asked for again and again.
        if (number % 20 === 0) for (const { socket } of world.sockets) socket.readSome(20_000)
      }
      for (let round = 0; round < 50; round++) await move()
      t.ok(world.mostBuffered > 8_192, 'the socket was slow')
      // The write buffer and a frame; then a page and what came while it was read.
      const bound = 8_192 + 9_000 + 300_000 + 270_000
      t.ok(world.mostBuffered < bound, `${world.mostBuffered} bytes at most`)

      const rounds = 20 * MESSAGES
      for (let round = 0; round < rounds; round++) {
        for (const { socket } of world.sockets) socket.readOn()
        await move()
      }
      world.promises.atRest(world.sockets)
      t.strictSame(world.promises.violations, [])
      t.equal(world.promises.frames, MESSAGES)
    } finally {
      world.close()
      clock.uninstall()
    }
  },
)
