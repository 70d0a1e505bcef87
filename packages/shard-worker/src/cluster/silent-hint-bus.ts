/** No hints at all: messages of other processes are found by the slow poll alone. On the worker's thread. */
import type { HintBus } from './hint-bus.ts'

export const SILENT_HINT_BUS: HintBus = {
  listen: () => undefined,
  tell: () => undefined,
  close: () => Promise.resolve(),
}
