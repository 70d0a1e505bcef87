/**
 * The servers of `--against` in a result, and the ratios that set them beside ours. Names tell them apart: every other
 * name is one of the settings of this suite, or its bare server.
 */
import { BARE } from '../server/variant.ts'
import { formatNumber } from './figures.ts'

const OWN = /^(defaults$|(shards|threads|processes|buffers)-\d)/

export function otherServers(variants: Iterable<string>): string[] {
  return [...new Set(variants)].filter((name) => name !== BARE.name && !OWN.test(name))
}

/** A ratio below 1 keeps two digits, as a gain of ten times must not read like one of twenty. */
export function ratioText(own: number, other: number): string {
  const ratio = own / other
  return ratio > 0 && ratio < 1 ? String(Number(ratio.toPrecision(2))) : formatNumber(ratio)
}
