import t from 'tap'
import { parseEnvFile } from '../../src/config/env-file.ts'

function parse(text: string, environment: Record<string, string> = {}): Record<string, string> {
  return Object.fromEntries(parseEnvFile(text, environment))
}

t.test('[CONF2] parseEnvFile() reads names and values as godotenv does', (t) => {
  const cases: Record<string, Record<string, string>> = {
    '': {},
    '\n \t\r\n# only a comment': {},
    'A=1\nB= 2 \nC =3\n  D = 4 5\nE=\nF= ': { A: '1', B: '2', C: '3', D: '4 5', E: '', F: '' },
    '\uFEFFA=1\r\nB=2\r\n': { A: '1', B: '2' },
    'export A=1\n\texport\tB=2\nexportC=3\nexport=4': { A: '1', B: '2', exportC: '3', export: '4' },
    'A: 1\nB: x=y\nC=x:y\nD=x=': { A: '1', B: 'x=y', C: 'x:y', D: 'x=' },
    'A=1\nA=2': { A: '2' },
    'A={"X-Foo":"bar, baz"}': { A: '{"X-Foo":"bar, baz"}' },
    'A=.+\\.example\\.com$,^x': { A: '.+\\.example\\.com$,^x' },
  }
  for (const [text, expected] of Object.entries(cases)) t.strictSame(parse(text), expected, text)
  t.end()
})

t.test('[CONF2] parseEnvFile() takes a # for a comment only after white space', (t) => {
  t.strictSame(parse('A=x # y # z\nB=pa#ss # y\nC="a # b" # c\nD=\'a#b\'#c\nE=#x\n # F=1'), {
    A: 'x',
    B: 'pa#ss',
    C: 'a # b',
    D: 'a#b',
    E: '#x',
  })
  t.end()
})

t.test(
  '[CONF2] parseEnvFile() keeps single quotes as they are and reads escapes in double ones',
  (t) => {
    t.strictSame(
      parse(`A='\\n $B \\'x'\nB="\\n\\r\\t\\"\\\\n"\nC="two\nlines"\nD=\nE="it's"\nF="\\""`),
      {
        A: "\\n $B \\'x",
        B: '\n\rt"\\n',
        C: 'two\nlines',
        D: '',
        E: "it's",
        F: '"',
      },
    )
    t.end()
  },
)

t.test(
  '[CONF2] parseEnvFile() expands $NAME from the lines above, then from the environment',
  (t) => {
    const text = 'A=1\nB=$A${HOME}x\nC="<$A>"\nD=\'$A\'\nE=\\$A\nF="\\$A \\\\$A"\nG=$NONE.\nH=$a$'
    t.strictSame(parse(text, { A: 'environment', HOME: '/h' }), {
      A: '1',
      B: '1/hx',
      C: '<1>',
      D: '$A',
      E: '$A',
      F: '$A \\1',
      G: '.',
      H: '$a$',
    })
    t.end()
  },
)

t.test('[CONF2] parseEnvFile() names the line it cannot read, and not its text', (t) => {
  t.throws(() => parse('A=1\n\nhunter2\nB=2'), { message: 'line 3 is not NAME=value' })
  t.throws(() => parse('A="x\ny" hunter2\n'), { message: 'line 2 is not NAME=value' })
  t.throws(() => parse('# x\nA="hunter2\n'), { message: 'line 2 has a quote that is never closed' })
  t.throws(() => parse("A='hunter2\\'"), { message: 'line 1 has a quote that is never closed' })
  t.end()
})
