// Draws the bell that stands for Bellwire and writes it in every size that pages and apps ask for.
// Run by hand after a change of the drawing; its results are kept in packages/api/assets.
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import { root } from './bootstrap.mjs'

const FOLDER = join(root, 'packages/api/assets/web/static')
/** Points looked at in each direction of a pixel. */
const SAMPLES = 4
const GROUND = [30, 94, 122]
const BELL = [255, 255, 255]

/** Colour at a point of the unit square; null outside the round ground. */
function colourAt(x, y) {
  if (Math.hypot(x - 0.5, y - 0.5) > 0.5) return null
  return isBell(x - 0.5, y) ? BELL : GROUND
}

/** `x` is counted from the middle line. */
function isBell(x, y) {
  const knob = Math.hypot(x, y - 0.21) < 0.04
  const dome = Math.hypot(x, y - 0.43) < 0.19 && y <= 0.43
  const flare = y > 0.43 && y < 0.66 && Math.abs(x) < 0.19 + 0.09 * ((y - 0.43) / 0.23) ** 2
  const rim = Math.abs(x) < 0.3 && Math.abs(y - 0.675) < 0.022
  const clapper = Math.hypot(x, y - 0.72) < 0.075 && y > 0.72
  return knob || dome || flare || rim || clapper
}

function pixel(size, column, row) {
  const sum = [0, 0, 0]
  let covered = 0
  for (let sample = 0; sample < SAMPLES ** 2; sample++) {
    const x = (column + ((sample % SAMPLES) + 0.5) / SAMPLES) / size
    const y = (row + (Math.floor(sample / SAMPLES) + 0.5) / SAMPLES) / size
    const colour = colourAt(x, y)
    if (colour === null) continue
    covered++
    colour.forEach((value, index) => (sum[index] += value))
  }
  if (covered === 0) return [0, 0, 0, 0]
  return [
    ...sum.map((value) => Math.round(value / covered)),
    Math.round((255 * covered) / SAMPLES ** 2),
  ]
}

/** A PNG file of 8-bit RGBA. */
function png(size) {
  const rows = []
  for (let row = 0; row < size; row++) {
    const line = [0]
    for (let column = 0; column < size; column++) line.push(...pixel(size, column, row))
    rows.push(Buffer.from(line))
  }
  const header = Buffer.alloc(13)
  header.writeUInt32BE(size, 0)
  header.writeUInt32BE(size, 4)
  header.set([8, 6, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
    chunk('IHDR', header),
    chunk('IDAT', deflateSync(Buffer.concat(rows), { level: 9 })),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type, data) {
  const content = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const whole = Buffer.alloc(content.length + 8)
  whole.writeUInt32BE(data.length, 0)
  content.copy(whole, 4)
  whole.writeUInt32BE(crc32(content), content.length + 4)
  return whole
}

/** An ICO file that holds one PNG. */
function ico(size) {
  const picture = png(size)
  const head = Buffer.alloc(22)
  head.set([0, 0, 1, 0, 1, 0, size, size, 0, 0, 1, 0, 32, 0])
  head.writeUInt32LE(picture.length, 14)
  head.writeUInt32LE(head.length, 18)
  return Buffer.concat([head, picture])
}

await mkdir(FOLDER, { recursive: true })
await writeFile(join(FOLDER, 'favicon.ico'), ico(32))
await writeFile(join(FOLDER, 'favicon-32x32.png'), png(32))
await writeFile(join(FOLDER, 'favicon-196x196.png'), png(196))
await writeFile(join(FOLDER, 'apple-touch-icon-152x152.png'), png(152))
await writeFile(join(FOLDER, 'defaultapp.png'), png(256))
