/** A report as data: sections of prose, plots and tables, rendered to HTML and to Markdown from the same source. */

export interface Table {
  readonly head: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

export interface Plot {
  /** File name without ending; the Markdown report points to `<name>.svg`. */
  readonly name: string
  readonly alt: string
  readonly svg: string
}

export interface Section {
  readonly title: string
  readonly text: readonly string[]
  readonly plots: readonly Plot[]
  readonly tables: readonly Table[]
}

export interface Report {
  readonly title: string
  readonly sections: readonly Section[]
}

export function renderMarkdown(report: Report): string {
  const parts = [`# ${report.title}`]
  for (const section of report.sections) {
    parts.push(`## ${section.title}`, ...section.text)
    for (const plot of section.plots) parts.push(`![${plot.alt}](${plot.name}.svg)`)
    for (const table of section.tables) parts.push(markdownTable(table))
  }
  return `${parts.join('\n\n')}\n`
}

export function markdownTable({ head, rows }: Table): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |`
  return [
    line(head),
    line(head.map((_, at) => (at === 0 ? '---' : '---:'))),
    ...rows.map(line),
  ].join('\n')
}

export function renderHtml(report: Report): string {
  const sections = report.sections.map((section) =>
    [
      `<section><h2>${escapeXml(section.title)}</h2>`,
      ...section.text.map((text) => `<p>${escapeXml(text)}</p>`),
      ...section.plots.map((plot) => `<figure>${plot.svg}</figure>`),
      ...section.tables.map(htmlTable),
      '</section>',
    ].join('\n'),
  )
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeXml(report.title)}</title>
<style>${STYLE}</style></head>
<body><h1>${escapeXml(report.title)}</h1>
${sections.join('\n')}
</body></html>
`
}

function htmlTable({ head, rows }: Table): string {
  const cells = (tag: string, row: readonly string[]): string =>
    row.map((text) => `<${tag}>${escapeXml(text)}</${tag}>`).join('')
  const body = rows.map((row) => `<tr>${cells('td', row)}</tr>`).join('\n')
  return `<div class="scroll"><table><thead><tr>${cells('th', head)}</tr></thead><tbody>\n${body}\n</tbody></table></div>`
}

export function escapeXml(text: string): string {
  return text.replace(/[&<>"]/g, (char) => `&#${char.charCodeAt(0)};`)
}

const STYLE = `
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #1c2430; background: #fff }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2.5rem; border-top: 1px solid #d8dde5; padding-top: 1rem }
figure { margin: 1rem 0 } svg { max-width: 100%; height: auto }
.scroll { overflow-x: auto; margin: 1rem 0 }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums }
th, td { padding: .3rem .7rem; border-bottom: 1px solid #e4e8ee; text-align: right; white-space: nowrap }
th:first-child, td:first-child { text-align: left }
th { background: #f4f6f9 }
`
