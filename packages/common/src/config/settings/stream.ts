/** The settings of the WebSocket stream and of the shards behind it. */
import { regExps } from '../kinds/collections.ts'
import { wholeNumber } from '../kinds/scalars.ts'
import type { Setting } from './setting.ts'

export const STREAM_SETTINGS = {
  GOTIFY_SERVER_STREAM_PINGPERIODSECONDS: {
    kind: wholeNumber(1, 900),
    default: '45',
    doc: 'Seconds between WebSocket pings to a connection. At most 900, because the WebSocket engine counts no idle time above 960.',
  },
  GOTIFY_SERVER_STREAM_ALLOWEDORIGINS: {
    kind: regExps,
    default: '',
    doc: 'Origins of other sites that browsers may open /stream from; the own one always may. Matched as GOTIFY_SERVER_CORS_ALLOWORIGINS.',
  },
  GOTIFY_SERVER_STREAM_SHARDCOUNT: {
    kind: wholeNumber(1, 4096),
    default: '256',
    doc: 'Logical shards that users are spread over. The same in every process on one database.',
  },
  GOTIFY_SERVER_STREAM_SHARDTHREADS: {
    kind: wholeNumber(0, 64),
    default: '0',
    doc: 'Worker threads that host the shards, about 15 MB each. 0: one a core beyond the first of each process, at least 1. Never more than shards.',
  },
  GOTIFY_SERVER_STREAM_READBUFFERSIZE: {
    kind: wholeNumber(64, 1048576),
    default: '8192',
    doc: 'Bytes of the biggest WebSocket message accepted from a connection; a bigger one closes it. At least the 64 of Gotify; at most 1 MiB, because nothing said there is used.',
  },
  GOTIFY_SERVER_STREAM_WRITEBUFFERSIZE: {
    kind: wholeNumber(0, 16777216),
    default: '8192',
    doc: 'Bytes a connection may hold unsent before its channel buffer is used. 0: as soon as the system takes no more. At most 16 MiB, because every connection may hold that much.',
  },
  GOTIFY_SERVER_STREAM_CHANNELBUFFERSIZE: {
    kind: wholeNumber(0, 10000),
    default: '10',
    doc: 'Messages a connection may hold beyond that before it catches up from the store. 0: it does so at once. At most 10,000, because every connection may hold that many.',
  },
  GOTIFY_SERVER_STREAM_DRAINSECONDS: {
    kind: wholeNumber(0, 10),
    default: '2',
    doc: 'Seconds over which a process that stops closes many connections, so that not all come back at once. 0: at once. At most 10, because a stop has 20.',
  },
  GOTIFY_SERVER_STREAM_CONNECTSPERSECOND: {
    kind: wholeNumber(0, 1000000),
    default: '0',
    doc: 'Connections that a process opens in a second; more are told to try again a little later (503 with Retry-After). 0: no limit.',
  },
} as const satisfies Record<string, Setting<unknown>>
