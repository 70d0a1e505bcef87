/** Carries out what the schedule says, and makes everything good again. */
import { sleep } from '../../wire/clock.ts'
import type { Fleet } from '../fleet/fleet.ts'
import type { ProveSubscriber } from '../load/subscriber.ts'
import type { Fault, FaultKind } from './schedule.ts'

/** Resolves when the fault is over, with true, or at once with false when there is nothing to do it to. */
type Deed = (fault: Fault) => Promise<boolean>

const PATIENCE_MS = 15_000
const RETRY_MS = 50

export class Faults {
  /** How many of each kind were carried out. */
  readonly counts: Map<FaultKind, number>
  readonly #deeds: Readonly<Record<FaultKind, Deed>>
  #quitting = false

  constructor(fleet: Fleet, subscribers: readonly ProveSubscriber[], kinds: readonly FaultKind[]) {
    this.counts = new Map(kinds.map((kind) => [kind, 0]))
    this.#deeds = { ...deedsOnServers(fleet), ...deedsOnSubscribers(subscribers) }
  }

  /** Resolves when the last fault is over. */
  async run(
    schedule: readonly Fault[],
    tell: (fault: Fault, done: boolean) => void,
  ): Promise<void> {
    const start = performance.now()
    const underWay: Promise<void>[] = []
    for (const fault of schedule) {
      // A deed that fails, which none should, ends the run at once.
      const pause = sleep(Math.max(0, fault.atMs - (performance.now() - start)))
      await Promise.race([pause, ...underWay.map((deed) => deed.then(() => pause))])
      if (this.#quitting) break
      underWay.push(
        this.#insist(fault).then((done) => {
          this.counts.set(fault.kind, (this.counts.get(fault.kind) ?? 0) + (done ? 1 : 0))
          tell(fault, done)
        }),
      )
    }
    await Promise.all(underWay)
  }

  /** Nothing new is done; what lasts comes to its end. */
  quit(): void {
    this.#quitting = true
  }

  /** Waits for something to do it to: a killed process takes a moment to come back. */
  async #insist(fault: Fault): Promise<boolean> {
    const giveUpAt = performance.now() + PATIENCE_MS
    while (!(await this.#deeds[fault.kind](fault))) {
      if (this.#quitting || performance.now() > giveUpAt) return false
      await sleep(RETRY_MS)
    }
    return true
  }
}

type ServerFault = Exclude<FaultKind, SubscriberFault>
type SubscriberFault =
  'stream cut by its subscriber' | 'subscriber stops reading' | 'stream left half-open'

function deedsOnServers({ hosts, proxies, database, disk }: Fleet): Record<ServerFault, Deed> {
  // Which process of a host: nothing to do with which host.
  const within = (target: number): number => Math.floor(target / hosts.length)
  return {
    'process killed (kill -9)': async ({ target, lastsMs }) =>
      oneOf(hosts, target, (host) => host.kill(within(target), lastsMs)) !== undefined,
    'process stopped and started (SIGTERM)': async ({ target, lastsMs }) =>
      oneOf(hosts, target, (host) => host.restart(lastsMs)) !== undefined,
    'process stopped for a while (SIGSTOP)': ({ target, lastsMs }) =>
      during(
        lastsMs,
        oneOf(hosts, target, (host) => host.freeze(within(target))),
        (host) => host.thaw(),
      ),
    'process without hints': ({ target, lastsMs }) => {
      const deaf = oneOf(hosts, target, (host) => host.restart(0))
      deaf?.useHints('none')
      return during(lastsMs, deaf, (host) => {
        host.useHints('postgres')
        host.restart(0)
      })
    },
    'shard worker killed': async ({ target }) =>
      oneOf(hosts, target, (host) => host.killWorker(within(target))) !== undefined,
    'PostgreSQL killed (kill -9)': async () => database.kill(),
    'backend of PostgreSQL killed': async ({ target }) => database.killBackend(target),
    'disk of PostgreSQL full': async ({ lastsMs }) => {
      const filled = (await disk.fill()) ? disk : undefined
      return during(lastsMs, filled, () => disk.free())
    },
    'database connections cut': async ({ target }) =>
      oneOf(proxies, target, (proxy) => proxy.cut()) !== undefined,
    'database connections stalled': ({ target, lastsMs }) =>
      during(
        lastsMs,
        oneOf(proxies, target, (proxy) => proxy.stall()),
        (proxy) => proxy.heal(),
      ),
    'database connections stalled for long': ({ target, lastsMs }) => {
      // Only where nothing is wrong with the others: a host that is killed meanwhile stays away until its end.
      const others = proxies.some((proxy) => proxy.isTroubledSince(0))
      const stalled = others ? undefined : oneOf(proxies, target, (proxy) => proxy.stall())
      return during(lastsMs, stalled, (proxy) => proxy.heal())
    },
    'database out of reach': ({ target, lastsMs }) =>
      during(
        lastsMs,
        oneOf(proxies, target, (proxy) => proxy.refuse()),
        (proxy) => proxy.heal(),
      ),
  }
}

function deedsOnSubscribers(
  subscribers: readonly ProveSubscriber[],
): Record<SubscriberFault, Deed> {
  const done = (target: number, deed: (subscriber: ProveSubscriber) => boolean): boolean =>
    oneOf(subscribers, target, deed) !== undefined
  return {
    'stream cut by its subscriber': async ({ target }) =>
      done(target, (subscriber) => subscriber.cut()),
    'subscriber stops reading': async ({ target, lastsMs }) =>
      done(target, (subscriber) => subscriber.pause(lastsMs)),
    'stream left half-open': async ({ target }) =>
      done(target, (subscriber) => subscriber.abandon()),
  }
}

/**
 * The first of `things`, from number `target` on and round, that the deed could be done to: false is a thing that is not
 * up at the moment.
 */
function oneOf<Thing>(
  things: readonly Thing[],
  target: number,
  deed: (thing: Thing) => boolean,
): Thing | undefined {
  const first = target % things.length
  return [...things.slice(first), ...things.slice(0, first)].find(deed)
}

/** Undoes after a while what was done to the thing, if there was one. */
async function during<Thing>(
  lastsMs: number,
  thing: Thing | undefined,
  undo: (thing: Thing) => unknown,
): Promise<boolean> {
  if (thing === undefined) return false
  await sleep(lastsMs)
  await undo(thing)
  return true
}
