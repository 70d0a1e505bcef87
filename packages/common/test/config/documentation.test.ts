import { readFileSync } from 'node:fs'
import t from 'tap'
import { SETTING_NAMES, settingOf } from '../../src/config/index.ts'
import { parseEnvFile } from '../../src/config/env-file.ts'
import { NOT_CARRIED_OUT } from '../../src/config/not-carried-out.ts'

/** From packages/common/dist/test/config, where the compiled test runs. */
const ROOT = new URL('../../../../../', import.meta.url)

const documentation = readFileSync(new URL('docs/configuration.md', ROOT), 'utf8')

t.test('[CONF9] docs/configuration.md has the row of every setting, and no other', (t) => {
  const rows = documentation
    .split('\n')
    .filter((line) => /^\| [A-Z_]+ +\|/.test(line))
    .map((line) => line.replace(/ +/g, ' '))
  const expected = SETTING_NAMES.map((name) => {
    const { kind, default: text, doc } = settingOf(name)
    return `| ${name} | ${kind.label} | ${text === '' ? 'empty' : `\`${text}\``} | ${doc} |`
  })
  t.strictSame(rows, expected)
  t.end()
})

t.test('[CONF9] docs/configuration.md names what is not carried out', (t) => {
  const section = /## Not carried out yet\n(.*?)\n## /s.exec(documentation)?.[1] ?? ''
  t.strictSame(section.match(/GOTIFY_\w+/g), [...NOT_CARRIED_OUT.keys()])
  t.end()
})

t.test('[CONF9] gotify-server.env.example has every setting at its default', (t) => {
  const example = readFileSync(new URL('gotify-server.env.example', ROOT), 'utf8')
  t.strictSame(parseEnvFile(example, {}), new Map(), 'changes nothing as it is')
  const set = example.replaceAll(/^# (?=[A-Z_]+=)/gm, '')
  t.strictSame(
    [...parseEnvFile(set, {})],
    SETTING_NAMES.map((name) => [name, settingOf(name).default]),
  )
  t.end()
})

t.test('[CONF9] every default is a value its setting accepts', (t) => {
  for (const name of SETTING_NAMES) {
    t.doesNotThrow(() => settingOf(name).kind.parse(settingOf(name).default), name)
  }
  t.end()
})
