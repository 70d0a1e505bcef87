/** Publishes that go on at a fixed rate beside what a scenario does: they show what else is felt. */
import type { PublishOrder } from '../agent/team.ts'

/** Enough that at these rates a message finds one free. */
const CONNECTIONS = 32

type SteadyLoad = Pick<
  PublishOrder,
  'tokens' | 'messageBytes' | 'ratePerSecond' | 'startUs' | 'endUs'
>

/** An order without warm-up and without a bound but its end. */
export function steadyOrder(load: SteadyLoad): PublishOrder {
  return { ...load, connections: CONNECTIONS, recordFromUs: load.startUs, messageLimit: 0 }
}
