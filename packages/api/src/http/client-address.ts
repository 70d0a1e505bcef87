/**
 * Where a request comes from: the address of the socket or, behind trusted proxies, the one that
 * they name in X-Forwarded-For. Gateway thread; throttling and logs use it.
 */
import { BlockList, isIP } from 'node:net'

const IPV4_BYTES = 4
const MAPPED_PREFIX = '0:0:0:0:0:ffff:'
/** A unix socket has no address; like Gotify, count it as this machine. */
const LOCAL = '127.0.0.1'

export class TrustedProxies {
  readonly #trusted = new BlockList()
  readonly #any: boolean

  /** @param proxies addresses and CIDR ranges, already checked by the configuration */
  constructor(proxies: readonly string[]) {
    for (const proxy of proxies) {
      const [address = '', prefix] = proxy.split('/')
      const family = isIP(address) === 6 ? 'ipv6' : 'ipv4'
      if (prefix === undefined) this.#trusted.addAddress(address, family)
      else this.#trusted.addSubnet(address, Number(prefix), family)
    }
    this.#any = proxies.length > 0
  }

  /**
   * Returns the nearest address that is no trusted proxy, reading X-Forwarded-For from its end: what
   * lies before that address may be invented by the sender.
   */
  clientAddress(socketAddress: string, forwardedFor: string | undefined): string {
    if (!this.#any || forwardedFor === undefined || !this.#trusts(socketAddress)) {
      return socketAddress
    }
    let nearest = socketAddress
    for (const entry of forwardedFor.split(',').reverse()) {
      const address = entry.trim()
      if (isIP(address) === 0) break
      nearest = address
      if (!this.#trusts(address)) break
    }
    return nearest
  }

  #trusts(address: string): boolean {
    return this.#trusted.check(address, isIP(address) === 6 ? 'ipv6' : 'ipv4')
  }
}

/** Text of an address that uWebSockets.js hands out in 0, 4 or 16 bytes; IPv4 in IPv6 becomes IPv4. */
export function addressText(bytes: ArrayBuffer): string {
  if (bytes.byteLength === 0) return LOCAL
  if (bytes.byteLength === IPV4_BYTES) return new Uint8Array(bytes).join('.')
  const view = new DataView(bytes)
  const groups: string[] = []
  for (let at = 0; at < bytes.byteLength; at += 2) groups.push(view.getUint16(at).toString(16))
  const text = groups.join(':')
  return text.startsWith(MAPPED_PREFIX) ? new Uint8Array(bytes, 12).join('.') : text
}
