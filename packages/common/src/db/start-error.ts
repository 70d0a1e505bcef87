/**
 * The database cannot be used and no retry will help: the start ends with this message, one line
 * that says what to do. (A database that is merely away is PushError DATABASE_UNAVAILABLE.)
 */
export class DatabaseStartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DatabaseStartError'
  }
}
