/**
 * An agent: one load process. Started by `AgentHandle`, told what to do over IPC, answers every command,
 * and lets go of everything when the coordinator is gone, so that no load outlives it.
 */
import type { Command, Reply, Results } from './commands.ts'
import { publish } from './publisher-pool.ts'
import { SubscriberPool } from './subscriber-pool.ts'

const pool = new SubscriberPool()

process.on('message', (command: Command) => {
  run(command).then(
    (result) => reply({ result }),
    (error: unknown) => reply({ error: error instanceof Error ? error.message : String(error) }),
  )
})
process.on('disconnect', () => pool.close())
// Ctrl-C reaches the whole process group; the coordinator decides when an agent ends.
process.on('SIGINT', () => undefined)

function reply(message: Reply): void {
  if (process.connected) process.send?.(message)
}

async function run(command: Command): Promise<Results[Command['kind']]> {
  switch (command.kind) {
    case 'open':
      return pool.open(command)
    case 'reconnect':
      return pool.reconnect(command)
    case 'return':
      return pool.return(command.floorId)
    case 'drop':
      pool.drop()
      return null
    case 'publish':
      return publish(command)
    case 'read-deliveries':
      return pool.readDeliveries()
    case 'reset-deliveries':
      pool.resetDeliveries(command.fromUs)
      return null
    case 'pause':
      pool.pause()
      return null
    case 'resume':
      pool.resume()
      return null
    case 'close':
      pool.close()
      return null
  }
}
