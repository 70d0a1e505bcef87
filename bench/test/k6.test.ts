/** The k6 scripts run and hold their thresholds for a few seconds, where k6 is there. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import t from 'tap'
import { BENCH_DIR } from '../src/server/paths.ts'
import { forgetProcesses, rememberProcess } from '../src/server/running-record.ts'
import { startServer } from '../src/server/server-process.ts'
import { BARE } from '../src/server/variant.ts'

const built = `${BENCH_DIR}.bin/k6`
const k6 = existsSync(built) ? built : 'k6'
const skip = spawnSync(k6, ['version']).status === 0 ? false : 'k6 is not installed'

const SHORT = {
  'websocket-simple': ['-e', 'VUS=5', '-e', 'DURATION=2s'],
  'websocket-test': ['-e', 'STAGES=50:1s,100:1s', '-e', 'USERS=10'],
  'connection-scaling': ['-e', 'SCALE=1k', '-e', 'HOLD=3s', '-e', 'USERS=10'],
}

t.test('k6 scripts', { skip }, async (t) => {
  const directory = mkdtempSync(`${tmpdir()}/bellwire-bench-`)
  const server = await startServer(BARE, `${directory}/work`, `${directory}/log`)
  t.teardown(async () => {
    await server.stop()
    forgetProcesses()
    rmSync(directory, { recursive: true })
  })
  const base = `BASE_URL=http://${server.target.host}:${server.target.port}`
  for (const [script, options] of Object.entries(SHORT)) {
    const args = ['run', '--quiet', '--no-usage-report', '-e', base, ...options]
    const child = spawn(k6, [...args, `${BENCH_DIR}k6/${script}.js`])
    if (child.pid !== undefined) rememberProcess(child.pid)
    let output = ''
    child.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString()
    })
    const [code] = (await once(child, 'close')) as [number | null]
    t.equal(code, 0, `${script}\n${code === 0 ? '' : output}`)
    t.match(output, /connect_success\.*: 100\.00%/, `${script} opened every stream`)
  }
})
