/** The command line of the proof: what cannot be proven is refused before anything is started. */
import t from 'tap'
import { readCommandLine } from '../../src/prove/options.ts'

t.test('readCommandLine reads every option and fills in what is missing', async (t) => {
  t.match(readCommandLine([]), { seconds: 45, hosts: 3, members: 1, meanPauseMs: 2000 })
  const words = '--minutes 0.5 --seed 9 --processes 1 --members 2 --pause 100 --quiet'.split(' ')
  const options = { seconds: 30, seed: 9, hosts: 1, members: 2, meanPauseMs: 100, quiet: true }
  t.same(readCommandLine(words), options)
})

t.test('readCommandLine refuses what makes no proof, and names the option', async (t) => {
  for (const [option, value] of [
    ['processes', '0'],
    ['processes', '1.5'],
    ['members', '0'],
    ['members', ''],
    ['pause', '0'],
    ['seed', 'nine'],
    ['minutes', 'Infinity'],
    ['minutes', '-1'],
    ['colour', 'red'],
  ] as const) {
    t.throws(() => readCommandLine([`--${option}=${value}`]), { message: new RegExp(option) })
  }
})
