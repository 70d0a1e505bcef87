/** Where things lie, from the compiled file's own place (bench/dist/src/server). */
import { fileURLToPath } from 'node:url'

export const REPOSITORY = fileURLToPath(new URL('../../../../', import.meta.url))
export const BENCH_DIR = fileURLToPath(new URL('../../../', import.meta.url))
export const BELLWIRE_MAIN = `${REPOSITORY}packages/api/dist/src/main.js`
export const BARE_MAIN = fileURLToPath(new URL('../reference/bare-server.js', import.meta.url))
/** Throw-away databases. On the repository's disk, not in a memory file system, where an fsync costs nothing. */
export const WORK_DIR = `${BENCH_DIR}.work`
export const RESULTS_DIR = `${BENCH_DIR}results`
