/**
 * What a loop that drains lanes needs of the ring. LaneReader and DoorbellWaiter have these shapes,
 * on either side; tests bring lanes on plain memory.
 */
import type { RecordReader } from '../envelope/record.ts'
import type { DoorbellWaiter } from './doorbell-waiter.ts'
import type { LaneReader } from './lane-reader.ts'

export type DrainedLane = RecordReader & Pick<LaneReader, 'peek' | 'release'>

export type LaneWaiter = Pick<DoorbellWaiter, 'closed' | 'takeDirty' | 'keepDirty' | 'wait'>
