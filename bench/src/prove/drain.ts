/**
 * The end of the load, after the last fault: what was sent is answered, whoever lost a stream comes back, and everybody
 * gets everything. Each step has time of its own, so one that fails takes none from the next.
 */
import { sleep } from '../wire/clock.ts'
import type { History } from './check/history.ts'
import type { Load } from './load/load.ts'

const LOOK_AGAIN_MS = 20

export interface DrainOptions {
  readonly load: Load
  readonly history: Pick<History, 'absent'>
  /** For each step. */
  readonly limitMs: number
  /** Told of each step, reached or not. */
  readonly tell: (step: string) => void
}

/**
 * Ends the load; nothing is written into the history behind it, except how a request that had no answer was broken off.
 * @returns whether every subscriber had everything
 */
export async function drain({ load, history, limitMs, tell }: DrainOptions): Promise<boolean> {
  const reach = async (step: string, isReached: () => boolean): Promise<boolean> => {
    const giveUpAt = performance.now() + limitMs
    while (!isReached() && performance.now() < giveUpAt) await sleep(LOOK_AGAIN_MS)
    const reached = isReached()
    tell(reached ? step : `NOT ${step}:`)
    return reached
  }
  load.stopPublishing()
  await reach('every publish answered', () => load.isAnswered)
  await reach('every subscriber connected', () => load.absentees().length === 0)
  history.absent.push(...load.absentees())
  // One more for everybody, so that a subscriber which begins with "now" has something to get.
  load.publishLast()
  await reach('every last publish answered', () => load.isAnswered)
  load.quitPublishing()
  const heads = load.heads()
  const delivered = await reach('everything delivered', () => load.hasReached(heads))
  load.holdStreams()
  // Before the rows are read: an answer or a frame that comes later would seem to have none.
  load.quit()
  return delivered
}
