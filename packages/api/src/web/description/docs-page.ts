/**
 * The description of the API as one page of HTML. Main thread, made once at start. Own code instead
 * of a viewer from npm: swagger-ui-dist is 11 MB on disk and 1.4 MB of script for a list that is
 * complete here in 30 KB, without a script and readable in any browser.
 */
import { DEFINITIONS } from './definitions.ts'
import type { Endpoint } from './endpoints.ts'
import type { Operation, Schema, Served } from './operation.ts'
import { DOCS_STYLE } from './docs-style.ts'

const TITLES: Readonly<Record<Operation['tag'], string>> = {
  message: 'Messages',
  application: 'Applications',
  client: 'Clients',
  user: 'Users',
  session: 'Sessions',
  server: 'The server',
  plugin: 'Plugins',
}

const CREDENTIALS: Readonly<Record<Served['auth'], string>> = {
  none: 'no credentials',
  optional: 'credentials if you have them',
  client: 'client token, or name and password',
  'application or client': 'application token, client token, or name and password',
  elevated: 'elevated client token, or name and password',
  admin: 'elevated client token of an administrator, or name and password',
}

export function docsPage(endpoints: readonly Endpoint[]): string {
  const shown = endpoints.filter(({ method }) => method !== 'HEAD')
  const tags = Object.keys(TITLES) as Operation['tag'][]
  const sections = tags.map((tag) => {
    const ofTag = shown.filter(({ operation }) => operation.tag === tag)
    return `<h2 id="${tag}">${TITLES[tag]}</h2>\n${ofTag.map(describeEndpoint).join('\n')}`
  })
  const links = tags.map((tag) => `<a href="#${tag}">${TITLES[tag]}</a>`)
  const shapes = Object.entries(DEFINITIONS).map(
    ([name, schema]) =>
      `<article id="shape-${name}"><h3><code>${name}</code></h3>${describeShape(schema)}</article>`,
  )
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="static/favicon.ico">
<title>The API of Bellwire</title>
<style>${DOCS_STYLE}</style>
</head>
<body>
<main>
<h1>The API of Bellwire</h1>
<p>It is the API of Gotify 3, with a few additions that are marked. For tools it is described in
<a href="swagger">Swagger 2.0</a>.</p>
<p>Give a token as <code>?token=</code>, as the header <code>X-Gotify-Key</code> or as
<code>Authorization: Bearer</code>; name and password as <code>Authorization: Basic</code>.
A refusal is the JSON object <a href="#shape-Error"><code>Error</code></a>.</p>
<nav>${links.join(' ')} <a href="#shapes">Shapes</a></nav>
${sections.join('\n')}
<h2 id="shapes">Shapes</h2>
${shapes.join('\n')}
</main>
</body>
</html>
`
}

function describeEndpoint({ method, path, auth, operation }: Endpoint): string {
  const { summary, details, parameters = [], body, upload, answer } = operation
  const rows = [
    row('Credentials', CREDENTIALS[auth]),
    ...parameters.map(({ name, in: place = 'query', type, description }) =>
      row(`<code>${name}</code>`, `${type} in the ${place}. ${escape(description)}`),
    ),
    ...(body === undefined ? [] : [row('Body', describeType({ $ref: body }))]),
    ...(upload === true
      ? [row('Body', 'multipart/form-data with the file in <code>file</code>')]
      : []),
    ...(answer === undefined ? [] : [row('Answer', describeType(answer))]),
  ]
  return `<article><h3><span class="${method.toLowerCase()}">${method}</span> <code>${path}</code></h3>
<p>${escape(summary)}.${details === undefined ? '' : ` ${escape(details)}`}</p>
<table>${rows.join('')}</table></article>`
}

function describeShape({ properties, required }: Schema): string {
  const needed = new Set(required as readonly string[] | undefined)
  const rows = Object.entries((properties ?? {}) as Record<string, Schema>).map(
    ([name, schema]) => {
      const { description } = schema
      const note = typeof description === 'string' ? `. ${escape(description)}` : ''
      const always = needed.has(name) ? ' <b>always</b>' : ''
      return row(`<code>${name}</code>`, describeType(schema) + always + note)
    },
  )
  return `<table>${rows.join('')}</table>`
}

function describeType({ $ref: target, type, items, format }: Schema): string {
  if (typeof target === 'string') {
    const name = target.slice(target.lastIndexOf('/') + 1)
    return `<a href="#shape-${name}"><code>${name}</code></a>`
  }
  if (type === 'array') return `list of ${describeType(items as Schema)}`
  return format === 'date-time' ? 'date' : String(type)
}

function row(name: string, text: string): string {
  return `<tr><th>${name}</th><td>${text}</td></tr>`
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
