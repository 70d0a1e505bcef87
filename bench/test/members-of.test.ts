/** Which processes of a cluster are its members, with this process as the primary of real ones. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import t from 'tap'
import { membersOf, sparesOf } from '../src/server/members-of.ts'

t.test('membersOf names members and not the process that waits to become one', async (t) => {
  const start = async (title: string): Promise<number> => {
    const program = `process.title = '${title}'; console.log('up'); setInterval(() => 0, 1000)`
    const child = spawn(process.execPath, ['-e', program], { stdio: ['ignore', 'pipe', 'inherit'] })
    t.teardown(() => child.kill())
    await once(child.stdout, 'data')
    return child.pid ?? 0
  }
  const first = await start('bellwire cluster-member 1')
  const spare = await start('bellwire cluster-spare')
  const second = await start('bellwire cluster-member 2')
  t.same(
    membersOf(process.pid).sort((a, b) => a - b),
    [first, second].sort((a, b) => a - b),
  )
  t.same(sparesOf(process.pid), [spare])
})
