/** Progress lines for the person who waits; results go to files. */

export function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
