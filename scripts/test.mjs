// `npm test [-- part-of-a-name ...]`: compiles, runs the test files, two at a time, and sums up.
// Each file is a tap program, run by plain Node: tap's own command adds loaders to a process that
// every worker thread started by a test would load again, which triples the time of a file.
// The last line is always `N passed, N failed`, in tests (see test-tally.mjs).
import { spawn } from 'node:child_process'
import { readdir } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { bootstrap, projects, root } from './bootstrap.mjs'

const JOBS = 2
/** A file that has not ended by then is killed and counts as failed. */
const FILE_LIMIT_MS = 300_000
/** What still holds a test's output open after its end is cut off then. */
const OUTPUT_GRACE_MS = 5_000
/** tap's own limit for the tests of one file, in seconds: ends first, and says which test hung. */
const TAP_TIMEOUT = '180'

const running = new Set()

async function main(filters) {
  await bootstrap()
  // Only there once the dependencies are installed.
  const { tallyTap } = await import('./test-tally.mjs')
  const files = (await findTestFiles()).filter(
    (file) => filters.length === 0 || filters.some((filter) => file.includes(filter)),
  )
  if (files.length === 0) throw new Error(`No test file matches ${filters.join(' ')}`)
  const total = { passed: 0, failed: 0, skipped: 0 }
  const failedFiles = []
  const queue = files.values()
  async function runQueue() {
    for (const file of queue) {
      const result = await runTestFile(file, tallyTap)
      process.stdout.write(describe(file, result))
      for (const key of Object.keys(total)) total[key] += result.tally[key]
      if (result.tally.failed > 0) failedFiles.push(file)
    }
  }
  await Promise.all(Array.from({ length: JOBS }, runQueue))
  process.stdout.write(`\n${files.length} files, ${total.skipped} tests skipped\n`)
  for (const file of failedFiles) process.stdout.write(`failed: ${file}\n`)
  return total
}

async function findTestFiles() {
  const files = []
  for (const folder of [...projects.map((project) => `${project}/dist/test`), 'scripts']) {
    const names = await readdir(join(root, folder), { recursive: true }).catch(() => [])
    files.push(
      ...names.filter((name) => /\.test\.m?js$/.test(name)).map((name) => join(folder, name)),
    )
  }
  return files.sort()
}

async function runTestFile(file, tallyTap) {
  const startedAt = performance.now()
  // A process group of its own, so that what a killed test has started goes with it.
  const child = spawn(process.execPath, ['--enable-source-maps', join(root, file)], {
    cwd: root,
    env: { ...process.env, TAP_TIMEOUT },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  running.add(child)
  const output = []
  child.stdout.on('data', (chunk) => output.push(chunk))
  child.stderr.on('data', (chunk) => output.push(chunk))
  const ended = new Promise((resolve) => {
    child.once('exit', (code, signal) => {
      kill(child, 'SIGKILL')
      setTimeout(() => {
        child.stdout.destroy()
        child.stderr.destroy()
      }, OUTPUT_GRACE_MS).unref()
      resolve(signal ?? code)
    })
  })
  const timer = setTimeout(() => kill(child, 'SIGKILL'), FILE_LIMIT_MS)
  const [tally, exit] = await Promise.all([tallyTap(child.stdout), ended])
  clearTimeout(timer)
  running.delete(child)
  if (exit !== 0 && tally.failed === 0) tally.failed = 1
  const seconds = (performance.now() - startedAt) / 1000
  return { tally, exit, seconds, output: Buffer.concat(output).toString() }
}

function describe(file, { tally, exit, seconds, output }) {
  const name = relative('.', file)
    .replace('/dist/test/', ' ')
    .replace(/\.test\.m?js$/, '')
  const counts = `${tally.passed} passed${tally.failed > 0 ? `, ${tally.failed} failed` : ''}`
  const line = `${tally.failed > 0 ? 'FAIL' : 'ok  '} ${name}: ${counts} (${seconds.toFixed(1)} s)\n`
  if (tally.failed === 0) return line
  const passing = /^\s*(ok \d.*|# Subtest.*|1\.\.\d+|)$/
  const telling = output.split('\n').filter((text) => !passing.test(text))
  return `${line}${telling.join('\n')}\nexit: ${exit}\n`
}

function kill(child, signal) {
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  process.once(signal, () => {
    for (const child of running) kill(child, 'SIGKILL')
    process.exit(1)
  })
}

const total = await main(process.argv.slice(2)).catch((error) => {
  process.stdout.write(`${error.message}\n`)
  return { passed: 0, failed: 1 }
})
process.exitCode = total.failed > 0 ? 1 : 0
process.stdout.write(`${total.passed} passed, ${total.failed} failed\n`)
