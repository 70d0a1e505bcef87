/** A member that loads for ever: it never says that it has, and ends with the primary's channel. */
process.on('message', () => undefined)
