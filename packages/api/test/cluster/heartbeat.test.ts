/** When the primary takes a member for one that hangs. */
import { install } from '@sinonjs/fake-timers'
import t from 'tap'
import { Heartbeat, type Patience } from '../../src/cluster/heartbeat.ts'

const PATIENCE: Patience = { periodMs: 1_000, questions: 3, loadingQuestions: 5 }

t.test('[CLU17] Heartbeat counts questions without an answer, not time', (t) => {
  const clock = install({ toFake: ['setInterval', 'clearInterval'] })
  t.teardown(() => clock.uninstall())
  let asked = 0
  let silences = 0
  const heartbeat = new Heartbeat({
    patience: PATIENCE,
    ask: () => asked++,
    onSilence: () => silences++,
  })
  heartbeat.start()
  heartbeat.answered()

  clock.tick(3_000)
  t.equal(asked, 3)
  t.equal(silences, 0, 'the last question has its time, too')
  heartbeat.answered()
  clock.tick(3_000)
  t.equal(silences, 0, 'an answer begins anew')

  // A pause of the primary itself: no matter how long it was, one timer is due afterwards.
  heartbeat.answered()
  clock.tick(2_000)
  clock.jump(3_600_000)
  t.equal(silences, 0)
  heartbeat.answered()

  clock.tick(3_000)
  t.equal(silences, 0)
  clock.tick(1_000)
  t.equal(silences, 1)

  const before = asked
  heartbeat.stop()
  clock.tick(10_000)
  t.same([asked, silences], [before, 1])
  t.end()
})

t.test('[CLU17] Heartbeat waits longer for the first answer, in questions as well', (t) => {
  const clock = install({ toFake: ['setInterval', 'clearInterval'] })
  t.teardown(() => clock.uninstall())
  let silences = 0
  const heartbeat = new Heartbeat({
    patience: PATIENCE,
    ask: () => undefined,
    onSilence: () => silences++,
  })
  heartbeat.start()
  clock.tick(4_000)
  clock.jump(3_600_000)
  t.equal(silences, 0)
  clock.tick(1_000)
  t.equal(silences, 1)
  heartbeat.stop()
  t.end()
})
