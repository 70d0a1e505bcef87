/** What stops a job that is done again and again. */
import { once } from 'node:events'
import t from 'tap'
import { startPeriodicJob } from '../src/periodic-job.ts'

t.setTimeout(30_000)
// A job alone keeps no process running.
const awake = setInterval(() => undefined, 1_000)
t.teardown(() => clearInterval(awake))

t.test('[RET5] startPeriodicJob() waits for a run that ends when it is told', async (t) => {
  let ended = false
  let job = { stop: (): Promise<void> => Promise.resolve() }
  await new Promise<void>((started) => {
    job = startPeriodicJob(
      async (stopped) => {
        started()
        await once(stopped, 'abort')
        ended = true
        throw new Error('Not done')
      },
      1,
      () => t.fail('nobody is told of a run that was stopped'),
    )
  })
  await job.stop()
  t.ok(ended)
})

t.test('[RET5] startPeriodicJob() leaves a run behind that hangs', async (t) => {
  let job = { stop: (): Promise<void> => Promise.resolve() }
  await new Promise<void>((started) => {
    job = startPeriodicJob(
      () => {
        started()
        return new Promise(() => undefined)
      },
      1,
      (error) => t.fail(String(error)),
    )
  })
  await job.stop()
  t.pass('it was stopped')
})
