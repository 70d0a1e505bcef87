/** What is measured: one server with one set of settings, under the name that tables and plots use. */
export interface Variant {
  readonly name: string
  /** 'bare' is our uWebSockets.js server without a store, the ceiling of this machine; 'remote' runs already. */
  readonly kind: 'bellwire' | 'bare' | 'gotify' | 'remote'
  readonly environment: Readonly<Record<string, string>>
  /** The binary of a 'gotify', the address of a 'remote'. */
  readonly location?: string
  /** Process id of a 'remote' that runs on this machine, for its memory and CPU figures. */
  readonly pid?: number
}

export const SHARD_COUNTS = [64, 128, 256, 512, 1024] as const

/** The two buffer settings that are compared: half of the defaults, and the defaults. */
export const BUFFER_SETTINGS = {
  'buffers-2048-2048-5': [2048, 2048, 5],
  'buffers-8192-8192-10': [8192, 8192, 10],
} as const

export const BARE: Variant = { name: 'bare-uws', kind: 'bare', environment: {} }

export function shardVariant(shardCount: number): Variant {
  return {
    name: `shards-${shardCount}`,
    kind: 'bellwire',
    environment: { GOTIFY_SERVER_STREAM_SHARDCOUNT: String(shardCount) },
  }
}

export function threadVariant(threads: number): Variant {
  return {
    name: `threads-${threads}`,
    kind: 'bellwire',
    environment: { GOTIFY_SERVER_STREAM_SHARDTHREADS: String(threads) },
  }
}

/** Processes on one port and one database; 1 is a server without a primary. */
export function clusterVariant(processes: number): Variant {
  return {
    name: `processes-${processes}`,
    kind: 'bellwire',
    environment: { GOTIFY_SERVER_CLUSTER_PROCESSES: String(processes) },
  }
}

export function bufferVariants(): Variant[] {
  return Object.entries(BUFFER_SETTINGS).map(([name, [read, write, channel]]) => ({
    name,
    kind: 'bellwire',
    environment: {
      GOTIFY_SERVER_STREAM_READBUFFERSIZE: String(read),
      GOTIFY_SERVER_STREAM_WRITEBUFFERSIZE: String(write),
      GOTIFY_SERVER_STREAM_CHANNELBUFFERSIZE: String(channel),
    },
  }))
}
