/**
 * What tests and benchmarks of other packages need of the shard worker: the parts that the simulation runs in
 * one thread, and the contract between shards and the log. No program imports this file.
 */
export type { HintBus, HintListener } from './cluster/hint-bus.ts'
export { frameOf } from './fan-out.ts'
export { DEFAULT_LIMITS, type GroupCommitLimits } from './group-commit.ts'
export { PublishChecker } from './publish/publish-checker.ts'
export { ShardThread, type ShardThreadOptions } from './shard-thread.ts'
export { plainColumns } from './store/insert-sql.ts'
export {
  BatchError,
  UNKNOWN_PREVIOUS,
  type Heads,
  type MessageStore,
  type NewMessage,
  type Page,
  type Stored,
  type StoredMessage,
} from './store/message-store.ts'
export { PgMessageStore } from './store/pg-message-store.ts'
