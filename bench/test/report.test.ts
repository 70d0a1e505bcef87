/** Reports and comparisons from a small result, and the bounds of the regression gate. */
import t from 'tap'
import { buildReport } from '../src/report/build-report.ts'
import { costModel, formula, ramMb } from '../src/report/cost-model.ts'
import { compareResults } from '../src/report/compare.ts'
import { fillBlocks } from '../src/report/fill-documents.ts'
import { renderHtml, renderMarkdown } from '../src/report/document.ts'
import type { RunResult, Sample } from '../src/results/result.ts'
import { judge } from '../src/smoke/judge.ts'

function resultWith(samples: Sample[]): RunResult {
  return {
    schema: 1,
    verb: 'all',
    startedAt: '2026-01-31T09:30:00.000Z',
    seconds: 61,
    commit: 'abc',
    machine: {
      cpu: 'Some <CPU> & more',
      cores: 2,
      memoryGb: 16,
      virtual: true,
      system: 'Debian',
      kernel: '6.1',
      node: 'v20',
      openFiles: '20000',
      loadBefore: 0.1,
      settings: {},
    },
    samples,
    failures: [],
  }
}

function publishSamples(perSecond: readonly number[]): Sample[] {
  return perSecond.map((publishesPerSecond, round) => ({
    scenario: 'publish-closed-64',
    variant: 'shards-256',
    round,
    metrics: { publishesPerSecond, publishP99Ms: 1e6 / (publishesPerSecond || 1e6), failed: 0 },
  }))
}

const memory: Sample = {
  scenario: 'idle-memory-2000',
  variant: 'shards-256',
  round: 0,
  metrics: { growthBytesPerSocket: 1500 },
  points: [
    { sockets: 0, liveBytes: 100e6 },
    { sockets: 1000, liveBytes: 101.5e6 },
    { sockets: 2000, liveBytes: 103e6 },
  ],
}

t.test('buildReport renders what was measured and leaves out what was not', (t) => {
  const report = buildReport(resultWith([...publishSamples([900, 1000, 1100]), memory]), 'test')
  const html = renderHtml(report)
  const markdown = renderMarkdown(report)
  for (const text of [html, markdown]) {
    t.match(text, 'Publishes a second, 64 closed-loop publishers')
    t.match(text, '1,000', 'the median of the rounds')
    t.notMatch(text, 'Reconnect storm')
    t.notMatch(text, 'NaN')
  }
  t.match(html, 'Some &#60;CPU&#62; &#38; more', 'text is escaped')
  t.notMatch(
    html,
    /<script|https?:\/\/(?!www\.w3\.org\/2000\/svg)/,
    'nothing is loaded from elsewhere',
  )
  t.match(markdown, '![Memory against idle sockets](idle-memory.svg)')
  const circles = html.match(/<circle/g) ?? []
  t.equal(circles.length, 3, 'a point for each step')
  t.end()
})

t.test('buildReport sets ratios beside the figures of a server of --against only', (t) => {
  const ours = publishSamples([900, 1000, 1100])
  const as = (variant: string, perSecond: number): Sample[] =>
    publishSamples([perSecond]).map((sample) => ({ ...sample, variant }))
  const open = (variant: string, publishP99Ms: number): Sample => ({
    ...{ scenario: 'publish-open-1000', variant, round: 0 },
    metrics: { publishP99Ms },
  })
  const alone = renderMarkdown(buildReport(resultWith([...ours, ...as('bare-uws', 4000)]), 'test'))
  t.notMatch(alone, ' / ', 'the bare server is a ceiling, not a rival')
  t.match(alone, 'bare-uws stores nothing: its publishes are not durable.')
  const beside = buildReport(
    resultWith([
      ...[...ours, ...as('bare-uws', 4000), ...as('gotify', 80)],
      ...[open('shards-256', 2), open('gotify', 32)],
    ]),
    'test',
  )
  const markdown = renderMarkdown(beside)
  t.match(markdown, '|  | shards-256 | bare-uws | gotify | Bellwire / gotify |')
  t.match(markdown, ', 64 publishers | 1,000 | 4,000 | 80.0 | 12.5 |')
  t.match(markdown, 'p99 (ms) | 2 | - | 32.0 | 0.063 |', 'of a latency the ratio too')
  t.match(markdown, 'for times (ms) and memory less than 1')
  const head = '| publishes a second | / gotify | publish p99 (ms) | / gotify | failed |'
  t.match(markdown, `| publish-closed-64 ${head}`)
  t.match(markdown, '| shards-256 | 1,000 | 12.5 | 1,000 | 0.08 | 0 |')
  t.match(markdown, '| gotify | 80.0 | 1 | 12,500 | 1 | 0 |')
  t.match(renderHtml(beside), '<th>/ gotify</th>')
  t.end()
})

t.test('buildReport draws a server that answered nothing', (t) => {
  const html = renderHtml(buildReport(resultWith(publishSamples([0, 0])), 'test'))
  t.match(html, 'height="0.0"')
  t.notMatch(html, /NaN|Infinity/)
  t.end()
})

t.test('compareResults gives ratios, and a verdict only where the interval leaves 1 out', (t) => {
  const a = { name: 'A', result: resultWith(publishSamples([990, 1000, 1010])) }
  const b = { name: 'B', result: resultWith(publishSamples([1980, 2000, 2020])) }
  const text = compareResults(a, b)
  t.match(
    text,
    /\| publishes a second \| 1,000 \| 2,000 \| 2\.000 \| [\d.]+ to [\d.]+ \| better \|/,
  )
  t.match(text, /\| publish p99 \(ms\) \| 1,000 \| 500 \| 0\.500 \|.*\| better \|/)
  t.notMatch(text, '| failed', 'a ratio to nothing is not given')
  t.match(compareResults(a, a), 'no difference shown')
  const single = { name: 'C', result: resultWith(publishSamples([2000])) }
  t.match(compareResults(a, single), /\| 2\.000 \| - \| one round \|/)
  t.end()
})

t.test('judge fails on collapse only', (t) => {
  const baseline = {
    publishShareOfBare: 0.4,
    fanOutShareOfBare: 0.9,
    growthBytesPerSocket: 1500,
    damage: 0,
  }
  t.notOk(judge(baseline, { ...baseline, publishShareOfBare: 0.2 }).collapsed, 'half is noise')
  t.ok(judge(baseline, { ...baseline, publishShareOfBare: 0.13 }).collapsed)
  t.ok(judge(baseline, { ...baseline, fanOutShareOfBare: 0.2 }).collapsed)
  t.ok(judge(baseline, { ...baseline, growthBytesPerSocket: 3100 }).collapsed)
  t.ok(judge(baseline, { ...baseline, damage: 1 }).collapsed, 'a lost message is a collapse')
  t.ok(judge(baseline, { ...baseline, publishShareOfBare: Number.NaN }).collapsed)
  t.end()
})

t.test('costModel adds up what a host, a process and a socket cost', (t) => {
  const idle: Sample = {
    scenario: 'idle-memory-19000',
    variant: 'defaults',
    round: 0,
    metrics: {
      socketsHeld: 10_000,
      growthBytesPerSocket: 2000,
      liveBytesPerSocket: 1000,
      kernelBytesPerSocket: 5000,
    },
  }
  const empty = (processes: number, rssMb: number, databasePssMb: number): Sample => ({
    scenario: 'cluster-start',
    variant: `processes-${processes}`,
    round: 0,
    metrics: { processRssMb: rssMb, primaryRssMb: processes === 1 ? 0 : 80, databasePssMb },
  })
  t.equal(costModel(resultWith([idle])), null, 'nothing without an empty server')
  const model = costModel(
    resultWith([idle, empty(1, 999, 24), empty(2, 120, 28), empty(4, 120, 36)]),
  )
  t.strictSame(model, {
    ...{ primary: 80, database: 20, process: 120, warmUp: 10, connections: 4 },
    ...{ socket: 1000, kernel: 5000 },
  })
  if (model === null) throw new Error('No model')
  t.equal(ramMb(model, 0, 1), 20 + 134, 'one process has no primary')
  t.equal(ramMb(model, 1e6, 4), 80 + 20 + 4 * 134 + 6000)
  t.match(formula(model), '80.0 MB primary and its spare (only with several processes) + 20.0 MB')
  const held: Sample = {
    scenario: 'scale-100000',
    variant: 'defaults',
    round: 0,
    metrics: {
      ...{ processes: 6, growthBytesPerSocket: 6500, kernelBytesPerSocket: 5200 },
      databasePssMb: 250,
    },
  }
  t.match(
    costModel(resultWith([idle, held, empty(2, 120, 28), empty(4, 120, 36)])),
    { warmUp: 0, socket: 6500, kernel: 5200, database: 250 - 6 * 4 },
    'users that get messages are what is planned with',
  )
  t.end()
})

t.test('fillBlocks replaces marked blocks only, again and again, and knows every name', (t) => {
  const text = 'a\n\n<!-- figures: one -->\nold\n<!-- /figures -->\n\nb\n'
  const once = fillBlocks(text, { one: '1' })
  t.equal(once, 'a\n\n<!-- figures: one -->\n\n1\n\n<!-- /figures -->\n\nb\n')
  t.equal(fillBlocks(once, { one: '1' }), once)
  t.throws(() => fillBlocks(text, {}), { message: 'No figures named "one"' })
  t.end()
})
