/**
 * The one table of everything that can go wrong for a caller: HTTP status, WebSocket close code
 * (null: the code never closes a socket) and whether the same request may be sent again.
 * docs/errors.md lists the same codes; a test compares the two.
 */
export const ERROR_TABLE = {
  BAD_REQUEST: { httpStatus: 400, closeCode: null, retryable: false },
  UNAUTHENTICATED: { httpStatus: 401, closeCode: null, retryable: false },
  FORBIDDEN: { httpStatus: 403, closeCode: null, retryable: false },
  NOT_FOUND: { httpStatus: 404, closeCode: null, retryable: false },
  TIMEOUT: { httpStatus: 408, closeCode: null, retryable: true },
  BODY_TOO_LARGE: { httpStatus: 413, closeCode: null, retryable: false },
  KEY_REUSED: { httpStatus: 422, closeCode: null, retryable: false },
  TOO_MANY_REQUESTS: { httpStatus: 429, closeCode: null, retryable: true },
  INTERNAL: { httpStatus: 500, closeCode: null, retryable: false },
  SHARD_SATURATED: { httpStatus: 503, closeCode: null, retryable: true },
  SHARD_RESTARTED: { httpStatus: 503, closeCode: null, retryable: true },
  DATABASE_UNAVAILABLE: { httpStatus: 503, closeCode: null, retryable: true },
  OVERLOADED: { httpStatus: 503, closeCode: null, retryable: true },
  SHUTTING_DOWN: { httpStatus: 503, closeCode: 1001, retryable: true },
} as const satisfies Record<string, ErrorRow>

interface ErrorRow {
  readonly httpStatus: number
  readonly closeCode: number | null
  readonly retryable: boolean
}

export type ErrorCode = keyof typeof ERROR_TABLE

/** Codes in a fixed order: an envelope carries the position of the code, one byte. */
export const ERROR_CODES = Object.keys(ERROR_TABLE) as readonly ErrorCode[]

/** A failure that a caller is told about: the code decides status and retry, the message is the `errorDescription`. */
export class PushError extends Error {
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'PushError'
    this.code = code
  }

  get httpStatus(): number {
    return ERROR_TABLE[this.code].httpStatus
  }

  get retryable(): boolean {
    return ERROR_TABLE[this.code].retryable
  }
}
