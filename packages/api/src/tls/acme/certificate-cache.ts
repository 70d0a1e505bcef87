/**
 * The cache folder of ACME: the account's key, and one file for each set of hosts and authority that
 * holds key and certificate together, so that they never disagree. Main thread; the order writes,
 * every process reads. Nobody but the owner may read what is in it.
 */
import { createHash } from 'node:crypto'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { makeFolder } from '../../make-folder.ts'

export class CertificateCache {
  readonly #folder: string
  /** Key and certificate in PEM. */
  readonly certificateFile: string

  constructor(folder: string, hosts: readonly string[], directoryUrl: string) {
    this.#folder = folder
    const order = JSON.stringify([directoryUrl, hosts.toSorted()])
    const name = createHash('sha256').update(order).digest('hex').slice(0, 16)
    this.certificateFile = join(folder, `certificate-${name}.pem`)
  }

  /** The key of the account, made when there is none; one account serves all orders. */
  async accountKey(make: () => Promise<Buffer>): Promise<Buffer> {
    const file = join(this.#folder, 'account-key.pem')
    try {
      return await readFile(file)
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error
      const key = await make()
      await this.#replace(file, key.toString())
      return key
    }
  }

  async store(key: Buffer, chain: string): Promise<void> {
    await this.#replace(this.certificateFile, `${key.toString().trimEnd()}\n${chain}`)
  }

  /** Readers see the old file or the new one, also if the power fails. */
  async #replace(file: string, text: string): Promise<void> {
    await makeFolder(this.#folder, 0o700)
    const next = `${file}.${process.pid}.new`
    await writeFile(next, text, { mode: 0o600, flush: true })
    await rename(next, file)
  }
}
