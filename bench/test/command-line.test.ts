/** The command line refuses wrong words with one line before it starts anything, and cleans up only what is its own. */
import { spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import t from 'tap'
import { createResultFolder } from '../src/results/result.ts'
import { BENCH_DIR, WORK_DIR } from '../src/server/paths.ts'
import { forgetProcesses, stopRemembered } from '../src/server/running-record.ts'
import { startServer } from '../src/server/server-process.ts'

const directory = mkdtempSync(`${tmpdir()}/bellwire-bench-`)
t.teardown(() => {
  rmSync(directory, { recursive: true })
})

function answerOf(command: string, args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8', timeout: 20_000 })
  return { status, stdout, lines: stderr.trimEnd().split('\n') }
}

t.test('run-benchmark.sh refuses wrong words before it builds or starts anything', (t) => {
  const wrong = {
    '64 --rounds 0': /--rounds needs a whole number/,
    '64 --rounds x': /--rounds needs a whole number/,
    'scale 1k --processes x': /--processes needs a whole number/,
    '64 --rounds': /--rounds needs a value/,
    '64 --only --local': /--only needs a value/,
    'all extra': /Too many words after all/,
    'compare x': /compare needs the name of 2 results/,
    docs: /docs needs the name of 1 result/,
    nope: /Unknown verb nope/,
    '64 --nope': /Unknown option --nope/,
  }
  for (const [words, message] of Object.entries(wrong)) {
    const { status, stdout, lines } = answerOf(`${BENCH_DIR}run-benchmark.sh`, words.split(' '))
    t.match({ status, stdout, count: lines.length }, { status: 2, stdout: '', count: 1 }, words)
    t.match(lines[0], message, words)
  }
  t.end()
})

t.test('the command line answers a wrong name with its message and no stack', (t) => {
  const out = `${directory}/never`
  const wrong = {
    'scale 10': /Expected a number of sockets such as 10k/,
    'return 7': /Expected a number of sockets such as 10k/,
    'report nope': /No result.json in nope/,
    'compare nope nope': /No result.json in nope/,
    '64 --only nope': /No server "nope". 64 has these: shards-64/,
    '64 --against g=/nope': /No program to run at \/nope/,
  }
  for (const [words, message] of Object.entries(wrong)) {
    const args = [`${BENCH_DIR}dist/src/cli.js`, ...words.split(' '), '--out', out]
    const { status, lines } = answerOf(process.execPath, args)
    t.match({ status, count: lines.length }, { status: 1, count: 1 }, words)
    t.match(lines[0], message, words)
  }
  t.notOk(existsSync(out), 'no folder was made')
  t.end()
})

t.test('startServer rejects when there is no such program', async (t) => {
  const variant = { name: 'gone', kind: 'gotify', environment: {}, location: '/nope' } as const
  t.teardown(forgetProcesses)
  await t.rejects(startServer(variant, `${directory}/work`, `${directory}/log`), { code: 'ENOENT' })
})

t.test('createResultFolder gives each of two runs in one minute a folder of its own', (t) => {
  const path = `${directory}/results/2026-01-31-0930`
  t.same(
    [1, 2, 3].map(() => createResultFolder(path)),
    [path, `${path}-2`, `${path}-3`],
  )
  t.end()
})

t.test('stopRemembered ends the processes of the run it is told and of no other', async (t) => {
  const [ended, spared] = [1, 2].map(() => spawn('sleep', ['60']))
  if (ended?.pid === undefined || spared?.pid === undefined) throw new Error('sleep did not start')
  t.teardown(() => spared.kill())
  // No process has such ids, so no real run has these records.
  const [mine, others] = ['99000001', '99000002'] as const
  mkdirSync(`${WORK_DIR}/${mine}-0`, { recursive: true })
  mkdirSync(`${WORK_DIR}/${others}-0`)
  t.teardown(() => {
    for (const name of [`${others}-0`, `running-${others}`]) {
      rmSync(`${WORK_DIR}/${name}`, { recursive: true })
    }
  })
  for (const [run, pid] of [
    [mine, ended.pid],
    [others, spared.pid],
  ] as const) {
    const started = readFileSync(`/proc/${pid}/stat`, 'latin1').split(' ')[21] ?? ''
    writeFileSync(`${WORK_DIR}/running-${run}`, `${pid} ${started}\n`)
  }
  const exited = once(ended, 'exit')
  t.equal(await stopRemembered(mine), 1)
  await exited
  t.equal(spared.exitCode ?? spared.signalCode, null, 'the other run goes on')
  t.notOk(existsSync(`${WORK_DIR}/running-${mine}`))
  t.notOk(existsSync(`${WORK_DIR}/${mine}-0`))
  t.ok(existsSync(`${WORK_DIR}/running-${others}`))
  t.ok(existsSync(`${WORK_DIR}/${others}-0`))
})
