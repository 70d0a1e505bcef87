/**
 * Reads a multipart/form-data body that is already in memory, by busboy. Main thread; used for
 * form fields and for the image upload. The route's bound on the body bounds everything here.
 */
import { PushError } from '@bellwire/common'
import busboy from 'busboy'

export interface UploadedFile {
  readonly field: string
  readonly fileName: string
  readonly content: Buffer
}

export interface Multipart {
  /** In the order of the body. */
  readonly values: ReadonlyArray<readonly [name: string, value: string]>
  readonly files: readonly UploadedFile[]
}

/** Parts above this are more than any Gotify client sends. */
const MAX_PARTS = 1000

/** @throws PushError BAD_REQUEST for a body that is not what its Content-Type says. */
export async function readMultipart(body: Uint8Array, contentType: string): Promise<Multipart> {
  const values: Array<readonly [string, string]> = []
  const files: UploadedFile[] = []
  try {
    const parser = busboy({
      headers: { 'content-type': contentType },
      defParamCharset: 'utf8',
      limits: { parts: MAX_PARTS, fieldSize: body.byteLength, fileSize: body.byteLength + 1 },
    })
    await new Promise<void>((resolve, reject) => {
      parser.on('field', (name, value) => values.push([name, value]))
      parser.on('file', (field, stream, info) => {
        const chunks: Buffer[] = []
        stream.on('data', (chunk: Buffer) => chunks.push(chunk))
        stream.on('error', reject)
        stream.on('end', () => {
          files.push({ field, fileName: info.filename, content: Buffer.concat(chunks) })
        })
      })
      parser.on('partsLimit', () => {
        reject(new Error('too many parts'))
      })
      parser.on('error', reject)
      parser.on('close', resolve)
      parser.end(body)
    })
  } catch (error) {
    const problem = error instanceof Error ? error.message : String(error)
    throw new PushError('BAD_REQUEST', `cannot read the multipart body: ${problem}`, {
      cause: error,
    })
  }
  return { values, files }
}
