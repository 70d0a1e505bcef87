/**
 * A program: sets TCP keep-alive on the sockets that it is given as descriptors 3 and up, and ends.
 * Its parent (tcp-keep-alive.ts) has them, too, and keeps them. Arguments: how many, and seconds.
 */
import { Socket } from 'node:net'

const FIRST = 3
const [count = 0, seconds = 0] = process.argv.slice(2).map(Number)

for (let fd = FIRST; fd < FIRST + count; fd++) {
  new Socket({ fd, readable: false, writable: false }).setKeepAlive(true, seconds * 1_000)
}
