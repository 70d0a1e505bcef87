/**
 * Slows down whoever guesses passwords: by address and by user name, each with room for a number of
 * quick failures that comes back with time. Gateway thread; before a password is checked. Every
 * address has a few tries of its own at a name, even if the name has run out, so nobody can lock a
 * user out from elsewhere.
 */
import { isIP } from 'node:net'
import { PushError } from '@bellwire/common'
import { BoundedMap } from './bounded-map.ts'

export interface Allowance {
  /** Quick failures before the brake. */
  readonly failures: number
  /** Failures that come back a second. */
  readonly perSecond: number
}

export interface LoginThrottleOptions {
  readonly address?: Allowance
  readonly name?: Allowance
  /** Of one address at one name: counts when the name has run out. */
  readonly pair?: Allowance
  /** Addresses, names and pairs of them remembered, each. */
  readonly capacity?: number
}

interface Failures {
  readonly count: number
  /** Milliseconds since 1970. */
  readonly at: number
}

const BY_ADDRESS: Allowance = { failures: 300, perSecond: 1 }
const BY_NAME: Allowance = { failures: 60, perSecond: 0.2 }
const BY_PAIR: Allowance = { failures: 5, perSecond: 0.2 }
const CAPACITY = 20_000
const IPV6_NETWORK_GROUPS = 4

export class LoginThrottle {
  readonly #byAddress: Allowance
  readonly #byName: Allowance
  readonly #byPair: Allowance
  readonly #addresses: BoundedMap<string, Failures>
  readonly #names: BoundedMap<string, Failures>
  readonly #pairs: BoundedMap<string, Failures>

  constructor(options: LoginThrottleOptions = {}) {
    this.#byAddress = options.address ?? BY_ADDRESS
    this.#byName = options.name ?? BY_NAME
    this.#byPair = options.pair ?? BY_PAIR
    this.#addresses = new BoundedMap(options.capacity ?? CAPACITY)
    this.#names = new BoundedMap(options.capacity ?? CAPACITY)
    this.#pairs = new BoundedMap(options.capacity ?? CAPACITY)
  }

  /**
   * @param now milliseconds since 1970
   * @throws {PushError} TOO_MANY_REQUESTS
   */
  check(name: string, address: string, now: number): void {
    const ofAddress = remaining(this.#addresses.get(network(address)), this.#byAddress, now)
    const ofName = remaining(this.#names.get(name), this.#byName, now)
    const ofPair = remaining(this.#pairs.get(pair(name, address)), this.#byPair, now)
    if (
      ofAddress >= this.#byAddress.failures ||
      (ofName >= this.#byName.failures && ofPair >= this.#byPair.failures)
    ) {
      throw new PushError('TOO_MANY_REQUESTS', 'too many wrong passwords, try again later')
    }
  }

  failed(name: string, address: string, now: number): void {
    count(this.#addresses, network(address), this.#byAddress, now)
    count(this.#names, name, this.#byName, now)
    count(this.#pairs, pair(name, address), this.#byPair, now)
  }

  /** A right password clears its name; the address may still be guessing others. */
  succeeded(name: string, address: string): void {
    this.#names.delete(name)
    this.#pairs.delete(pair(name, address))
  }
}

function count(
  failures: BoundedMap<string, Failures>,
  key: string,
  allowance: Allowance,
  now: number,
): void {
  failures.set(key, { count: remaining(failures.get(key), allowance, now) + 1, at: now })
}

/** Failures that still count. */
function remaining(failures: Failures | undefined, allowance: Allowance, now: number): number {
  if (failures === undefined) return 0
  const forgiven = ((now - failures.at) / 1000) * allowance.perSecond
  return Math.max(0, failures.count - forgiven)
}

function pair(name: string, address: string): string {
  return `${network(address)} ${name}`
}

/** One customer usually holds a whole /64 of IPv6. */
function network(address: string): string {
  if (isIP(address) !== 6) return address
  return address.split(':').slice(0, IPV6_NETWORK_GROUPS).join(':')
}
