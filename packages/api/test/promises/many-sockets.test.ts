/**
 * Promise 6 at the limit of open files. By default the server may have 3,000 of them; as a long
 * test (BELLWIRE_LONG_TESTS) it has 20,000, and 20,400 sockets come. A process has one limit for its
 * own files, so the clients live in processes of their own.
 */
import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { readFile } from 'node:fs/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { ApiClient } from '../support/api-client.ts'
import { startBellwire } from '../support/bellwire.ts'
import type { Crowd, CrowdOrder } from './crowd.ts'

const LONG = process.env['BELLWIRE_LONG_TESTS'] !== undefined
const OPEN_FILES = LONG ? 20_000 : 3_000
/** Below the limit by more than what the server keeps for other files. */
const TAKEN = OPEN_FILES - 600
const TOO_MANY = 1_000
/** As many of these are still taken until only the kept files are left. */
const AT_MOST_TAKEN = 600 - 512
const CROWD = fileURLToPath(new URL('./crowd.js', import.meta.url))

async function order(crowd: ChildProcess, what: CrowdOrder): Promise<Crowd> {
  crowd.send(what)
  const [answer] = (await once(crowd, 'message')) as [Crowd]
  return answer
}

t.test(
  `[LIM12] ${TOO_MANY} sockets more than ${OPEN_FILES} files allow are shed, and publishing goes on`,
  { timeout: 300_000 },
  async (t) => {
    const bellwire = await startBellwire(t, {}, { openFiles: OPEN_FILES })
    const api = new ApiClient(bellwire)
    const user = await api.identity()
    const crowds = [1, 2].map(() => fork(CROWD))
    t.teardown(() => {
      api.close()
      for (const crowd of crowds) crowd.kill('SIGKILL')
    })
    const { port } = bellwire
    const token = user.clientToken
    const open = (count: number): Promise<Crowd[]> =>
      Promise.all(
        crowds.map((crowd, index) =>
          order(crowd, {
            port,
            token,
            count: count / crowds.length,
            localAddress: `127.0.0.${index + 2}`,
          }),
        ),
      )
    const first = await open(TAKEN)
    t.same(
      first.map(({ refused }) => refused),
      [0, 0],
    )
    const more = await open(TOO_MANY)
    const refused = more.reduce((sum, crowd) => sum + crowd.refused, 0)
    t.comment(`${refused} of ${TOO_MANY} more were refused: ${JSON.stringify(more)}`)
    t.ok(refused >= TOO_MANY - AT_MOST_TAKEN)
    await sleep(1_000)
    t.ok((await processorShare(bellwire.pid, 1_000)) < 0.5, 'it does not spin')
    const answer = await api.publish(user.applicationToken, 'to everybody')
    t.equal(answer.status, 200)
    const [one, two] = await Promise.all(
      crowds.map((crowd) => order(crowd, { waitFor: answer.text })),
    )
    t.equal((one?.delivered ?? 0) + (two?.delivered ?? 0), (one?.open ?? 0) + (two?.open ?? 0))
  },
)

/** The part of one processor that a process takes while `milliseconds` pass; 0 without /proc. */
async function processorShare(pid: number, milliseconds: number): Promise<number> {
  const before = await processorMs(pid)
  await sleep(milliseconds)
  return ((await processorMs(pid)) - before) / milliseconds
}

async function processorMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '')
  // Behind the name, which may hold anything: user and system time in ticks of 10 ms.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return (Number(fields[11] ?? 0) + Number(fields[12] ?? 0)) * 10
}
