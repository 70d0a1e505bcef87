// Checks of the tree that neither compiler, linter nor formatter makes, over what git tracks.
// Prints a line per finding; exit code 1 when there is one. Runs as a gate of `npm run ok`.
import { execFileSync } from 'node:child_process'
import { existsSync, lstatSync, readFileSync } from 'node:fs'
import { builtinModules } from 'node:module'
import { join } from 'node:path'
import ts from 'typescript'
import { projects, root } from './bootstrap.mjs'

const MAX_BINARY_BYTES = 300_000
const MAX_SHELL_LINES = 500
/** Assembled here, so that this file does not find itself. */
const UNFINISHED = new RegExp(`\\b(${['TO' + 'DO', 'FIX' + 'ME', 'X' + 'XX'].join('|')})\\b`)
/** Folders of a developer's machine; a container's own paths (/app, /var/lib, /tmp) are fine. */
const MACHINE_PATH = /(?<![\w.~-])\/(work|farm|root|home\/\w+|Users\/\w+|tmp\/bw)(?=[/\s])/

const findings = []

function report(where, what) {
  findings.push(`${where}: ${what}`)
}

function git(...args) {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).split('\0').filter(Boolean)
}

function checkFile(file) {
  const bytes = readFileSync(join(root, file))
  if (bytes.subarray(0, 8_000).includes(0)) {
    if (bytes.length > MAX_BINARY_BYTES) report(file, `a binary of ${bytes.length} bytes`)
    return
  }
  const lines = bytes.toString().split('\n')
  if (file.endsWith('.sh') && lines.length > MAX_SHELL_LINES) {
    report(file, `${lines.length} lines, the ceiling is ${MAX_SHELL_LINES}`)
  }
  lines.forEach((line, index) => {
    if (UNFINISHED.test(line)) report(`${file}:${index + 1}`, 'unfinished work is marked here')
    if (MACHINE_PATH.test(line)) report(`${file}:${index + 1}`, "names a developer machine's path")
  })
}

/** What a package imports stands in its own package.json, and what stands there is used. */
function checkImports(project, files) {
  const manifest = JSON.parse(readFileSync(join(root, project, 'package.json'), 'utf8'))
  const runtime = new Set(Object.keys(manifest.dependencies ?? {}))
  const development = new Set(Object.keys(manifest.devDependencies ?? {}))
  const unused = new Set(runtime)
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8')
    const isTest = file.startsWith(`${project}/test/`)
    for (const { fileName } of ts.preProcessFile(text).importedFiles) {
      const name = packageOf(fileName)
      if (name === undefined || name === manifest.name || runtime.has(name)) continue
      if (isTest && development.has(name)) continue
      report(file, `imports ${name}, which ${project}/package.json does not declare`)
    }
    // Plain text, not imports alone: a worker is named by its URL.
    for (const name of unused) if (text.includes(`'${name}`)) unused.delete(name)
  }
  for (const name of unused) report(`${project}/package.json`, `declares ${name}, used nowhere`)
}

function packageOf(specifier) {
  if (/^(\.|node:)/.test(specifier) || builtinModules.includes(specifier)) return undefined
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

const tracked = git('ls-files', '-z').filter((file) => {
  const path = join(root, file)
  return existsSync(path) && lstatSync(path).isFile()
})

for (const file of git('ls-files', '-z', '--cached', '--ignored', '--exclude-standard')) {
  report(file, 'is tracked although .gitignore names it')
}
tracked.filter((file) => file !== 'pnpm-lock.yaml').forEach(checkFile)
for (const project of projects) {
  const sources = tracked.filter((file) => file.startsWith(`${project}/`) && file.endsWith('.ts'))
  checkImports(project, sources)
}

for (const finding of findings) process.stdout.write(`${finding}\n`)
process.stdout.write(`${tracked.length} files checked, ${findings.length} findings\n`)
process.exitCode = findings.length > 0 ? 1 : 0
