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
    comeBack(result),
    ...scenariosOf(result, 'cluster-closed').map((scenario) => cluster(result, scenario)),
    clusterStart(result),
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
    'As many users as sockets, held at the same time by one cluster of as many processes as the file limit asks for. "each": one message to each user, as fast as the server takes them, to users whose tokens no process has seen yet; the rest at 200 publishes a second. "rss" a socket is all server processes, empty ones included; "growth" what they grew by; "kernel" half of the slab growth; "machine" everything on it, both ends and the load processes.',
    [
      ...['processes', 'socketsHeld', 'connectsPerSecond', 'handshakeP99Ms', 'socketsRefused'],
      ...['mostOpenFiles', 'rssMb', 'rssBytesPerSocket', 'growthBytesPerSocket'],
      ...['kernelBytesPerSocket', 'tcpBufferBytesPerSocket', 'machineBytesPerSocket'],
      ...['usersReached', 'eachPublishesPerSecond', 'eachDeliveryP50Ms', 'eachDeliveryP99Ms'],
      ...['publishP99Ms', 'deliveryP50Ms', 'deliveryP99Ms', ...DAMAGE],
    ],
  )
}

function comeBack(result: RunResult): Section | null {
  return tableSection(
    result,
    'return',
    'The return after a full restart',
    'All clients lost their network, five messages were published to each, the server and its database were ended and started again, and all clients came back as careful clients do: after random pauses that double up to 15 s, and not before the Retry-After of a 503. Times count from the moment the server was healthy. Publishes went on meanwhile, 200 a second to other users. "connects-1000" bounds connects to 1,000 a second over all processes.',
    [
      ...['clients', 'downMs', 'allBackMs', 'caughtUpMs', 'messagesCaughtUp', 'answers503'],
      ...['handshakeP50Ms', 'handshakeP99Ms', 'foundQueueFull'],
      ...['mostQueriesAtOnce', 'meanQueriesAtOnce', 'mostConnections'],
      ...['databaseCpuSeconds', 'serverCpuSeconds', 'rssMb', 'publishP50Ms', 'publishP99Ms'],
      ...DAMAGE,
    ],
  )
}

function cluster(result: RunResult, scenario: string): Section | null {
  const publishers = scenario.split('-').at(-1) ?? ''
  return barSection(
    result,
    scenario,
    `One port, several processes: publishes a second, ${publishers} publishers`,
    'The same closed-loop load on one process and on clusters. All processes share the cores of this machine with the load and with PostgreSQL, so this shows what a cluster costs, not what it gains where there are more cores. "process" is the RSS of one process.',
    ['publishesPerSecond'],
    [
      ...['publishesPerSecond', 'publishP50Ms', 'publishP99Ms', 'deliveryP99Ms', 'rssMb'],
      ...['processRssMb', 'primaryRssMb', 'serverCpuUsPerPublish', 'databaseCpuUsPerPublish'],
      ...DAMAGE,
    ],
  )
}

function clusterStart(result: RunResult): Section | null {
  return tableSection(
    result,
    'cluster-start',
    'What a process of a cluster adds',
    'Empty servers. RSS counts the pages that processes share, such as the program files of Node, once for each of them; "own" leaves those out.',
    ['startMs', 'rssMb', 'ownMb', 'processRssMb', 'primaryRssMb', 'threads', 'databasePssMb'],
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
