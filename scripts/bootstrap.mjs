// Makes a fresh clone runnable: the dependencies at the locked versions, then compiled JavaScript.
// Runs before start, test and every gate; needs Node and npm alone, and no network once it has run.
import { spawn } from 'node:child_process'
import { readFile, readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const root = fileURLToPath(new URL('..', import.meta.url))

/** Folders that compile, each with its own tsconfig.json. */
export const projects = ['packages/common', 'packages/shard-worker', 'packages/api', 'bench']

/** Installs and compiles what is missing or out of date; throws with a line that says what failed. */
export async function bootstrap(toBuild = projects) {
  await requireNode()
  if (!(await dependenciesMatchLockFile())) await installDependencies()
  await Promise.all(projects.map(removeStaleOutput))
  await compile(toBuild)
}

async function requireNode() {
  const { engines } = await readManifest()
  const oldest = Number.parseInt(engines.node.replace(/\D*/, ''), 10)
  if (Number.parseInt(process.versions.node, 10) >= oldest) return
  throw new Error(`Bellwire needs Node ${engines.node}, this is ${process.version}`)
}

/** pnpm keeps, beside what it installed, the lock file that it installed from. */
async function dependenciesMatchLockFile() {
  const [wanted, installed] = await Promise.all([
    readFile(join(root, 'pnpm-lock.yaml'), 'utf8'),
    readIfPresent(join(root, 'node_modules/.pnpm/lock.yaml')),
  ])
  return wanted === installed
}

async function installDependencies() {
  const { packageManager } = await readManifest()
  const pnpm = packageManager.replace(/\+.*$/, '')
  progress(`Installing dependencies with ${pnpm} (once, about a minute)`)
  // npm fetches pnpm itself: corepack is not part of every Node. CI=true keeps pnpm from asking.
  await run(
    'npm',
    ['exec', '--yes', `--package=${pnpm}`, '--', 'pnpm', 'install', '--frozen-lockfile'],
    {
      CI: 'true',
    },
  )
}

async function compile(toBuild) {
  progress('Compiling')
  const compiler = join(root, 'node_modules/typescript/bin/tsc')
  await run(process.execPath, [compiler, '-b', ...toBuild])
}

/** A deleted or renamed source leaves its JavaScript behind, which would still be imported and tested. */
async function removeStaleOutput(project) {
  const output = join(root, project, 'dist')
  const entries = await readdir(output, { recursive: true, withFileTypes: true }).catch(
    ignoreMissing,
  )
  const sources = new Set()
  for (const folder of ['src', 'test']) {
    const found = await readdir(join(root, project, folder), { recursive: true }).catch(
      ignoreMissing,
    )
    for (const name of found ?? []) sources.add(join(output, folder, name).replace(/\.ts$/, ''))
  }
  for (const entry of entries ?? []) {
    const path = join(entry.parentPath ?? entry.path, entry.name)
    const source = path.replace(/(\.d\.ts|\.js)(\.map)?$/, '')
    if (entry.isFile() && source !== path && !sources.has(source)) await rm(path)
  }
}

async function readManifest() {
  return JSON.parse(await readFile(join(root, 'package.json'), 'utf8'))
}

async function readIfPresent(path) {
  return await readFile(path, 'utf8').catch(ignoreMissing)
}

function ignoreMissing(error) {
  if (error.code !== 'ENOENT') throw error
}

/** Progress goes to stderr: stdout belongs to the program that is started afterwards. */
function progress(line) {
  process.stderr.write(`${line}\n`)
}

/** Runs a command in the root and shows its output only when it fails. */
async function run(command, args, extraEnvironment = {}) {
  const child = spawn(command, args, {
    cwd: root,
    env: { ...process.env, ...extraEnvironment },
    stdio: ['ignore', 'pipe', 'pipe'],
    shell: process.platform === 'win32' && command === 'npm',
  })
  const output = []
  child.stdout.on('data', (chunk) => output.push(chunk))
  child.stderr.on('data', (chunk) => output.push(chunk))
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (code === 0) return
  process.stderr.write(Buffer.concat(output))
  throw new Error(`${command} ${args.join(' ')} failed with exit code ${code}`)
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  bootstrap().catch((error) => {
    progress(error.message)
    process.exitCode = 1
  })
}
