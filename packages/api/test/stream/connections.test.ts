/** When the open connections of a process get their pings. */
import type { ConnectionNumber, UserId } from '@bellwire/common'
import { createArena, GatewayRing } from '@bellwire/common/ring'
import t from 'tap'
import { MessageFlow } from '../../src/message-flow.ts'
import { Connection, type Socket } from '../../src/stream/connection.ts'
import type { Connections } from '../../src/stream/connections.ts'

const PERIOD_SECONDS = 45

/** Notes the seconds of its pings. */
class PingedSocket implements Socket {
  readonly pings: number[] = []
  readonly #clock: { readonly second: number }

  constructor(clock: { readonly second: number }) {
    this.#clock = clock
  }

  send(): number {
    return 1
  }

  getBufferedAmount(): number {
    return 0
  }

  close(): void {
    t.fail('a socket was cut')
  }

  end(): void {
    t.fail('a socket was ended')
  }

  ping(): number {
    return this.pings.push(this.#clock.second)
  }
}

function connections(teardown: (end: () => void) => void): Connections {
  const lanes = new GatewayRing(createArena({ shardCount: 64, threadCount: 1, laneBytes: 8_192 }))
  const flow = new MessageFlow({
    lanes,
    shardCount: 64,
    threadCount: 1,
    limits: { writeBufferSize: 8_192, channelBufferSize: 10 },
    meter: {
      channelBufferUsed: () => undefined,
      catchUpStarted: () => undefined,
      framesSent: () => undefined,
    },
  })
  teardown(() => {
    flow.close()
    lanes.close()
  })
  return flow.connections
}

t.test('[WS8] Connections pings each once a period while thousands open', (t) => {
  const open = connections((end) => t.teardown(end))
  const clock = { second: 0 }
  const opened: { readonly at: number; readonly socket: PingedSocket }[] = []
  for (; clock.second < 300; clock.second++) {
    for (let count = 0; clock.second < 60 && count < 100; count++) {
      const socket = new PingedSocket(clock)
      opened.push({ at: clock.second, socket })
      const number = opened.length as ConnectionNumber
      const identity = {
        number,
        userId: 1 as UserId,
        clientId: 0,
        endsWithoutFrame: false,
      } as const
      open.add(new Connection(socket, { ...identity, cursor: 0 }), false)
    }
    // The loop was busy for a while.
    if (clock.second < 150 || clock.second > 158) open.pingDue(PERIOD_SECONDS, clock.second * 1_000)
  }
  const gaps = opened.map(({ at, socket: { pings } }) =>
    Math.max(...pings.map((second, index) => second - (pings[index - 1] ?? at))),
  )
  t.equal(opened.length, 6_000)
  t.ok(Math.max(...gaps) <= PERIOD_SECONDS + 9, `longest silence ${Math.max(...gaps)} s`)
  const counts = opened.map(({ socket }) => socket.pings.length)
  t.ok(Math.min(...counts) >= 5 && Math.max(...counts) <= 7, 'and none is pinged more often')
  t.end()
})
