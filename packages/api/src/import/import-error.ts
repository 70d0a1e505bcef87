/** An import that was refused, in one line that says why and what to do; nothing was changed. */
export class ImportError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'ImportError'
  }
}
