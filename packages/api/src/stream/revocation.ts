/** Tells the shards whose connections must end when a client or a user is gone. Main thread. */
import type { ChangeListener } from '../changes.ts'
import type { ShardRouter } from '../shards/shard-router.ts'

export function revokeOnChange(router: ShardRouter): ChangeListener {
  return (change) => {
    if (change.kind === 'client-deleted') {
      router.send({ kind: 'revoke', userId: change.userId, clientId: change.clientId })
    } else if (change.kind === 'user-deleted') {
      router.send({ kind: 'revoke', userId: change.userId, clientId: 0 })
    }
  }
}
