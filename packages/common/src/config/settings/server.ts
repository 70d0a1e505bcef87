/** The settings of the HTTP server: logs, listening, TLS, headers, CORS and processes. */
import { addressRanges, headers, regExps, texts, tokens } from '../kinds/collections.ts'
import { listenAddress } from '../kinds/network.ts'
import {
  bool,
  filePath,
  folder,
  hints,
  logLevel,
  optionalUrl,
  text,
  wholeNumber,
} from '../kinds/scalars.ts'
import type { Setting } from './setting.ts'

export const SERVER_SETTINGS = {
  GOTIFY_LOGLEVEL: {
    kind: logLevel,
    default: 'info',
    doc: 'Least severity that is logged. panic counts as fatal; disabled logs nothing.',
  },
  NOCOLOR: {
    kind: text,
    default: '',
    doc: 'Accepted for Gotify setups. Logs are JSON lines and never coloured.',
  },
  GOTIFY_SERVER_KEEPALIVEPERIODSECONDS: {
    kind: wholeNumber(-1, 32767),
    default: '0',
    doc: 'Seconds of silence after which TCP asks whether the other end of a connection is still there, and ten seconds later gives up. 0 and -1: never (Gotify takes 0 for 15); WebSocket pings keep streams alive or find them dead. Above 0 on Linux only, and not for a Unix socket.',
  },
  GOTIFY_SERVER_LISTENADDR: {
    kind: listenAddress,
    default: '',
    doc: 'Address that HTTP is served on. Empty: every address, IPv4 and IPv6. unix: and a path: a Unix socket instead of a port.',
  },
  GOTIFY_SERVER_PORT: {
    kind: wholeNumber(0, 65535),
    default: '80',
    doc: 'TCP port of HTTP. 0: the system picks a free one. Not set, and 80 is given to root alone: 8080.',
  },
  GOTIFY_SERVER_MAXBODYBYTES: {
    kind: wholeNumber(1024, 67108864),
    default: '4194304',
    doc: 'Bytes of the biggest body of a publish; a bigger one is answered 413. Image uploads have their own bound of 32 MiB.',
  },
  GOTIFY_SERVER_SSL_ENABLED: {
    kind: bool,
    default: 'false',
    doc: "Serve HTTPS too, with the certificate of CERTFILE and CERTKEY or one of Let's Encrypt.",
  },
  GOTIFY_SERVER_SSL_REDIRECTTOHTTPS: {
    kind: bool,
    default: 'true',
    doc: 'Answer plain HTTP with a redirect to HTTPS. Only with SSL_ENABLED.',
  },
  GOTIFY_SERVER_SSL_LISTENADDR: {
    kind: listenAddress,
    default: '',
    doc: 'Address that HTTPS is served on; as GOTIFY_SERVER_LISTENADDR.',
  },
  GOTIFY_SERVER_SSL_PORT: {
    kind: wholeNumber(0, 65535),
    default: '443',
    doc: 'TCP port of HTTPS. 0: the system picks a free one.',
  },
  GOTIFY_SERVER_SSL_CERTFILE: {
    kind: filePath,
    default: '',
    doc: 'Path of the TLS certificate (PEM, with its chain). When the file changes, new connections get the new certificate within seconds; open ones go on.',
  },
  GOTIFY_SERVER_SSL_CERTKEY: {
    kind: filePath,
    default: '',
    doc: 'Path of the private key of the TLS certificate (PEM).',
  },
  GOTIFY_SERVER_SSL_LETSENCRYPT_ENABLED: {
    kind: bool,
    default: 'false',
    doc: "Get the certificate from Let's Encrypt and renew it. Needs SSL_ENABLED, ACCEPTTOS and HOSTS, and plain HTTP that the internet reaches on port 80.",
  },
  GOTIFY_SERVER_SSL_LETSENCRYPT_ACCEPTTOS: {
    kind: bool,
    default: 'false',
    doc: "Accept the terms of service of Let's Encrypt.",
  },
  GOTIFY_SERVER_SSL_LETSENCRYPT_CACHE: {
    kind: folder,
    default: 'data/certs',
    doc: 'Folder for certificates and account data. Left out: the folder certs in GOTIFY_DATADIR.',
  },
  GOTIFY_SERVER_SSL_LETSENCRYPT_DIRECTORYURL: {
    kind: optionalUrl,
    default: '',
    doc: "ACME directory to use. Empty: the production directory of Let's Encrypt.",
  },
  GOTIFY_SERVER_SSL_LETSENCRYPT_HOSTS: {
    kind: texts,
    default: '',
    doc: 'Host names to get the certificate for; one certificate holds them all.',
  },
  GOTIFY_SERVER_RESPONSEHEADERS: {
    kind: headers,
    default: '',
    doc: 'Headers added to every answer of the API, such as {"X-Frame-Options":"DENY"}.',
  },
  GOTIFY_SERVER_CORS_ALLOWORIGINS: {
    kind: regExps,
    default: '',
    doc: 'Origins of other sites that browsers may call the API from. Each matches anywhere in the lower-case origin unless anchored with ^ and $.',
  },
  GOTIFY_SERVER_CORS_ALLOWMETHODS: {
    kind: tokens,
    default: '',
    doc: 'Methods permitted to those origins.',
  },
  GOTIFY_SERVER_CORS_ALLOWHEADERS: {
    kind: tokens,
    default: '',
    doc: 'Request headers permitted to those origins.',
  },
  GOTIFY_SERVER_TRUSTEDPROXIES: {
    kind: addressRanges,
    default: '',
    doc: 'Proxies whose X-Forwarded-For tells the address of the caller. Empty: none.',
  },
  GOTIFY_SERVER_SECURECOOKIE: {
    kind: bool,
    default: 'false',
    doc: 'Mark session cookies Secure, so that browsers send them over HTTPS only.',
  },
  GOTIFY_SERVER_UIDIR: {
    kind: filePath,
    default: '',
    doc: "Folder of a built web app to serve at /, such as Gotify's own. Served are index.html, what lies beside it and the folder static; an app with another folder for its assets must be built to use that one. It is read once, at the start. Empty: the built-in start page.",
  },
  GOTIFY_SERVER_LEGACYTOKENS: {
    kind: bool,
    default: 'false',
    doc: 'Give new applications and clients tokens of 15 characters, as Gotify 2 made them, for senders that take no other. A request may choose for itself: ?legacyToken=true or false.',
  },
  GOTIFY_SERVER_CLUSTER_PROCESSES: {
    kind: wholeNumber(0, 256),
    default: '1',
    doc: 'Server processes that share the port, beside the one that watches over them and a spare. 1: no cluster; 0: one a core.',
  },
  GOTIFY_SERVER_CLUSTER_HINTS: {
    kind: hints,
    default: 'postgres',
    doc: 'How processes tell each other of new messages: postgres (NOTIFY), none (they look every 5 seconds), or the nats:// URL of a NATS server.',
    secret: true,
  },
} as const satisfies Record<string, Setting<unknown>>
