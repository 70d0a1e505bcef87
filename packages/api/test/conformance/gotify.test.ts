/**
 * Replays what a real Gotify 3.0.0 answered against a running Bellwire: every recorded case, and the
 * files that need settings of their own each against a server with these. The cases and their runner
 * lie in a folder beside the repository; where it is not there, this says so and skips.
 */
import { execFile } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t, { type Test } from 'tap'
import { startBellwire } from '../support/bellwire.ts'

interface CaseFile {
  readonly group: string
  readonly env?: Readonly<Record<string, string>>
}

interface ScenarioResult {
  readonly file: string
  readonly name: string
  readonly failures: readonly string[]
}

const FOLDER = fileURLToPath(new URL('../../../../../../shared/conformance', import.meta.url))
const OUTPUT_LIMIT_BYTES = 33_554_432

/** Runs the cases of a file or a folder; the runner's exit status says no more than its list. */
function replay(base: string, place: string): Promise<readonly ScenarioResult[]> {
  const command = [join(FOLDER, 'conformance.mjs'), base, place, '--json']
  return new Promise((resolve, reject) => {
    execFile(
      process.execPath,
      command,
      { maxBuffer: OUTPUT_LIMIT_BYTES },
      (error, stdout, stderr) => {
        if (stdout === '') {
          reject(new Error(`The runner gave no result: ${stderr}`, { cause: error }))
        } else {
          resolve(JSON.parse(stdout) as ScenarioResult[])
        }
      },
    )
  })
}

async function hold(
  t: Test,
  place: string,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  const server = await startBellwire(t, env)
  const results = await replay(`http://127.0.0.1:${server.port}`, join(FOLDER, place))
  t.ok(results.length > 0, 'there are cases')
  for (const { file, name, failures } of results) {
    t.same(failures, [], `${file}: ${name}`)
  }
}

function filesWithSettings(): readonly (CaseFile & { readonly file: string })[] {
  return readdirSync(FOLDER)
    .filter((file) => file.endsWith('.json'))
    .map((file) => ({
      ...(JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as CaseFile),
      file,
    }))
    .filter(({ env }) => env !== undefined)
}

t.setTimeout(300_000)
t.jobs = 3

if (!existsSync(FOLDER)) {
  t.pass('no recorded cases beside the repository', { skip: `${FOLDER} is not there` })
} else {
  t.test('Bellwire answers as Gotify does: default settings', { buffered: true }, (t) =>
    hold(t, '.'),
  )
  for (const { file, group, env } of filesWithSettings()) {
    t.test(`Bellwire answers as Gotify does: ${group}`, { buffered: true }, (t) =>
      hold(t, file, env),
    )
  }
}
