/** Puts the report of one run together: which sections, in which order, in which words. */
import { scenariosOf, variantsOf, type RunResult } from '../results/result.ts'
import type { Report, Section } from './document.ts'
import {
  barSection,
  machineSection,
  medianTable,
  memorySection,
  startSection,
  tableSection,
} from './sections.ts'
import { summarySection } from './summary-section.ts'

const LATENCIES = ['publishP50Ms', 'publishP95Ms', 'publishP99Ms', 'deliveryP50Ms', 'deliveryP99Ms']
const COSTS = ['serverCpuUsPerPublish', 'databaseCpuUsPerPublish', 'generatorLagP99Ms']
const DAMAGE = ['failed', 'missing', 'outOfOrder']

export function buildReport(result: RunResult, name: string): Report {
  const sections = [
    summarySection(result),
    machineSection(result),
    ...scenariosOf(result, 'publish-closed').map((scenario) => closedLoop(result, scenario)),
    ...scenariosOf(result, 'publish-open').map((scenario) => openLoop(result, scenario)),
    memorySection(result),
    ...scenariosOf(result, 'fan-out').map((scenario) => fanOut(result, scenario)),
    startSection(result),
    slowReader(result),
    storm(result),
    scale(result),
    k6(result),
    everything(result),
  ]
  return {
    title: `Bellwire benchmark ${name}`,
    sections: sections.filter((section) => section !== null),
  }
}

function closedLoop(result: RunResult, scenario: string): Section | null {
  const publishers = scenario.split('-').at(-1) ?? ''
  return barSection(
    result,
    scenario,
    `Publishes a second, ${publishers} closed-loop publishers`,
    '1,000 users with one socket each, messages of 200 bytes; every publisher sends its next message when the last one was acknowledged. Bars are medians, the thin line spans the rounds. bare-uws stores nothing and acknowledges at once: the ceiling of this machine under this load program.',
    ['publishesPerSecond'],
    ['publishesPerSecond', ...LATENCIES, ...COSTS, ...DAMAGE],
  )
}

function openLoop(result: RunResult, scenario: string): Section | null {
  const rate = Number(scenario.split('-').at(-1)).toLocaleString('en-US')
  return barSection(
    result,
    scenario,
    `Latency at ${rate} publishes a second (ms)`,
    'Each message has a fixed due time and its latency counts from then, whether or not the server kept up (no coordinated omission). "publish" ends at the acknowledgement, "delivery" at the subscriber. The generator fires on a 1 ms timer: "generator lag" is its own share.',
    ['publishP50Ms', 'publishP95Ms', 'publishP99Ms', 'deliveryP99Ms'],
    ['publishesPerSecond', ...LATENCIES, 'publishP999Ms', ...COSTS, ...DAMAGE],
  )
}

function fanOut(result: RunResult, scenario: string): Section | null {
  const sockets = Number(scenario.split('-').at(-1)).toLocaleString('en-US')
  return barSection(
    result,
    scenario,
    `Fan-out to ${sockets} sockets of one user (frames a second)`,
    'A burst of messages sent back to back, counted until the last socket has the last one. "lone" columns: one message with nothing else under way, from its due time to each socket.',
    ['framesPerSecond'],
    ['framesPerSecond', 'loneP50Ms', 'loneP99Ms', 'loneMaxMs', 'burstP50Ms', ...DAMAGE],
  )
}

function slowReader(result: RunResult): Section | null {
  return tableSection(
    result,
    'slow-reader',
    'A subscriber that stops reading',
    'Messages of 8 KB go to a user whose only socket is not read, small ones to another user. Then the socket is read again: "catch up" is the time until it has everything.',
    [
      'publishP50Ms',
      'publishP99Ms',
      'publishMaxMs',
      'otherUserP99Ms',
      'otherUserMaxMs',
      'growthMb',
      'catchUpMs',
      'socketsLost',
      ...DAMAGE,
    ],
  )
}

function storm(result: RunResult): Section | null {
  return tableSection(
    result,
    'reconnect-storm',
    'Reconnect storm',
    'All sockets break at one moment and come back at once from their last ids while 200 messages a second go on. A missing message is one that was acknowledged and reached no socket.',
    [
      'allBackMs',
      'reconnectsPerSecond',
      'handshakeP99Ms',
      'refusedOnce',
      'socketsBack',
      'publishP99Ms',
      'publishMaxMs',
      'deliveryP99Ms',
      ...DAMAGE,
    ],
  )
}

function scale(result: RunResult): Section | null {
  return tableSection(
    result,
    'scale',
    'Held at once',
    'Sockets held at the same time, over as many server processes as the file limit asks for, with 200 publishes a second to one of them.',
    [
      'processes',
      'socketsHeld',
      'connectsPerSecond',
      'growthBytesPerSocket',
      'kernelBytesPerSocket',
      'rssMb',
      'publishP99Ms',
      'deliveryP50Ms',
      'deliveryP99Ms',
      ...DAMAGE,
    ],
  )
}

function k6(result: RunResult): Section | null {
  return tableSection(
    result,
    'k6',
    'The same server seen by k6',
    'Short runs of the k6 scripts. k6 spends far more on a socket and a message than our own generator, so it is the bottleneck long before the server.',
    [
      'connectP95Ms',
      'connectSuccess',
      'publishP95Ms',
      'deliveryP50Ms',
      'deliveryP95Ms',
      'deliveryP99Ms',
      'deliverySuccess',
      'messagesPerSecond',
      'exitCode',
    ],
  )
}

/** Nothing that was measured is hidden: every metric of every scenario. */
function everything(result: RunResult): Section {
  const tables = scenariosOf(result).map((scenario) => {
    const samples = result.samples.filter((sample) => sample.scenario === scenario)
    const metrics = [...new Set(samples.flatMap((sample) => Object.keys(sample.metrics)))]
    return medianTable(result, scenario, variantsOf(result, scenario), metrics)
  })
  return { title: 'Every figure', text: ['Medians over the rounds.'], plots: [], tables }
}
