/**
 * Settings that name a place on the network: listen addresses and address ranges. Pure functions
 * for the tables in settings/.
 */
import { isIP } from 'node:net'
import type { Kind } from './kind.ts'

/** Linux, unix(7): sun_path holds 108 bytes, the last one is 0. */
const MAX_SOCKET_PATH_BYTES = 107

const HOST_NAME = /^(?=.{1,253}$)[\w-]+(?:\.[\w-]+)*\.?$/

/** An IP address, or one with the number of leading bits that count. */
export function isAddressRange(range: string): boolean {
  const [address = '', bits, ...rest] = range.split('/')
  const version = isIP(address)
  if (version === 0 || rest.length > 0) return false
  if (bits === undefined) return true
  return /^\d{1,3}$/.test(bits) && Number(bits) <= (version === 4 ? 32 : 128)
}

/** '' for every address, an IP address, a host name, or `unix:` and a path; an IPv6 address loses its brackets. */
export const listenAddress: Kind<string> = {
  label: 'address, unix:/path or empty',
  parse(raw) {
    const address = raw.replace(/^\[([\da-f:.]+)\]$/i, '$1')
    const path = /^unix:(.*)$/s.exec(raw)?.[1]
    const allowed =
      path === undefined
        ? address === '' || isIP(address) !== 0 || HOST_NAME.test(address)
        : path !== '' && !path.includes('\0') && Buffer.byteLength(path) <= MAX_SOCKET_PATH_BYTES
    if (!allowed) {
      throw new Error(
        `must be empty (every address), an IP address, a host name, or unix: and a path of at most ${MAX_SOCKET_PATH_BYTES} bytes`,
      )
    }
    return address
  },
}
