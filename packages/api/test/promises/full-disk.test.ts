/** The disk of the database fills up and gets room again: refusals that say so, no loss, nothing to do by hand. */
import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, mkdtemp, rm, rmdir, statfs, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { ApiClient, type Answer } from '../support/api-client.ts'
import { Bellwire } from '../support/bellwire.ts'
import { openStream } from '../support/ws-client.ts'
import { checkDelivered, checkStored } from './traffic.ts'

const DISK = '160m'
/** Left for the log of PostgreSQL's transactions, which has its file already; tables cannot grow. */
const REST_BYTES = 65_536

t.test(
  '[LIFE11] [API29] A full disk is told as such, and all goes on when there is room',
  { timeout: 120_000 },
  async (t) => {
    const disk = await mountDisk(t)
    if (disk === null) {
      t.pass('A full disk', { skip: 'a disk of its own cannot be mounted here' })
      return
    }
    const dataDir = join(disk, 'data')
    await mkdir(dataDir)
    const bellwire = new Bellwire(dataDir, {})
    t.teardown(() => bellwire.remove())
    await bellwire.start()
    const api = new ApiClient(bellwire)
    t.teardown(() => api.close())
    const user = await api.identity()
    const stream = await openStream(bellwire.port, { token: user.clientToken })
    const acknowledged: string[] = []
    async function publish(): Promise<Answer> {
      const answer = await api.publish(user.applicationToken, randomBytes(20_000).toString('hex'))
      if (answer.status === 200) acknowledged.push(answer.text)
      return answer
    }
    const isGreen = async (): Promise<boolean> => (await api.call('GET /health')).status === 200

    t.equal((await publish()).status, 200)
    t.ok(await isGreen())

    const ballast = join(disk, 'ballast')
    const { bavail, bsize } = await statfs(disk)
    await writeFile(ballast, Buffer.alloc(bavail * bsize - REST_BYTES))
    let refused = await publish()
    while (refused.status === 200) refused = await publish()
    t.equal(refused.status, 503)
    t.equal(refused.headers['retry-after'], '1')
    t.match(refused.text, '"errorDescription":"the database has no room left"')
    while (await isGreen()) await pause()
    // It stays red, with and without publishes, though the database answers.
    for (let round = 0; round < 20; round++) {
      const { status, text } = await api.call('GET /health')
      t.equal(status, 500)
      t.match(text, '"database":"red"')
      if (round % 2 === 0) t.equal((await publish()).status, 503)
      await pause()
    }
    const history = await api.call('GET /message', { token: user.clientToken })
    t.equal(history.status, 200, 'what is stored can be read')
    t.notOk(stream.isClosed, 'streams stay open')
    const lines = bellwire.logs.filter((line) => line.includes('the database has no room left'))
    t.equal(lines.length, 1, 'said once')
    t.match(lines[0], 'No space left on device')

    await rm(ballast)
    while (!(await isGreen())) await pause()
    t.equal((await publish()).status, 200, 'green means that publishes work')
    const stored = await api.history(user)
    checkStored(t, stored, acknowledged)
    await checkDelivered(t, [stream], stored)
  },
)

/** A small disk of its own; null where that is not allowed. */
async function mountDisk(t: Test): Promise<string | null> {
  const folder = await mkdtemp(join(tmpdir(), 'bellwire-disk-'))
  t.teardown(() => rmdir(folder))
  try {
    const options = ['-t', 'tmpfs', '-o', `size=${DISK},mode=755`, 'tmpfs', folder]
    execFileSync('mount', options, { stdio: 'ignore' })
  } catch (error) {
    t.comment(`no disk of its own: ${String(error)}`)
    return null
  }
  t.teardown(() => {
    execFileSync('umount', [folder])
  })
  return folder
}

function pause(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 50))
}
