/** The server cannot listen, and trying again will not help: the start ends with this message, one line. */
export class StartError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'StartError'
  }
}
