/**
 * Tells images by their first bytes, and which file names may be served. Pure. The kinds are those
 * that Gotify's detector (h2non/filetype) calls images and that a browser or viewer may meet.
 */

interface Signature {
  readonly offset: number
  readonly bytes: Buffer
}

const SIGNATURES: readonly Signature[] = [
  signature('ffd8ff'), // JPEG
  signature('89504e47'), // PNG
  signature('474946'), // GIF
  signature('424d'), // BMP
  signature('49492a00'), // TIFF, little-endian
  signature('4d4d002a'), // TIFF, big-endian
  signature('00000100'), // ICO
  signature('38425053'), // PSD
  signature('4949bc'), // JPEG XR
  signature('0000000c6a5020200d0a870a00'), // JPEG 2000
  signature('57454250', 8), // WebP, behind RIFF and a length
  signature('6674797068656963', 4), // HEIF: ftypheic
  signature('667479706d696631', 4), // HEIF: ftypmif1
  signature('6674797061766966', 4), // AVIF: ftypavif
]

function signature(hex: string, offset = 0): Signature {
  return { offset, bytes: Buffer.from(hex, 'hex') }
}

/** Looks at no more than the first bytes; the rest may be anything. */
export function looksLikeImage(content: Buffer): boolean {
  return SIGNATURES.some(({ offset, bytes }) =>
    content.subarray(offset, offset + bytes.length).equals(bytes),
  )
}

const CONTENT_TYPES: ReadonlyMap<string, string> = new Map([
  ['.gif', 'image/gif'],
  ['.png', 'image/png'],
  ['.jpg', 'image/jpeg'],
  ['.jpeg', 'image/jpeg'],
])

/** Content type of an allowed extension (with its dot, any case), null for every other. */
export function imageContentType(extension: string): string | null {
  return CONTENT_TYPES.get(extension.toLowerCase()) ?? null
}
