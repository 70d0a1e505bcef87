/** The look of the page at /docs; it stands in the page, so that one request is all it takes. */
export const DOCS_STYLE = `
:root { --ink: #1b2a33; --soft: #5a6b75; --ground: #f4f7f8; --card: #fff; --line: #d9e1e5; --accent: #1e5e7a }
@media (prefers-color-scheme: dark) {
  :root { --ink: #e4ecf0; --soft: #9fb0ba; --ground: #10181d; --card: #172229; --line: #2a3840; --accent: #6fb7d6 }
}
* { box-sizing: border-box }
body { margin: 0; padding: 2.5rem 1.25rem; font: 15px/1.55 system-ui, sans-serif; color: var(--ink); background: var(--ground) }
main { max-width: 52rem; margin: 0 auto }
h1 { margin: 0 0 .5rem }
h2 { margin: 2.25rem 0 .75rem }
h3 { margin: 0 0 .35rem; font-size: 1rem }
p { margin: .35rem 0 .6rem }
a { color: var(--accent) }
nav { display: flex; flex-wrap: wrap; gap: .4rem 1.2rem; margin-top: 1rem }
article { margin: .6rem 0; padding: .8rem 1rem; border: 1px solid var(--line); border-radius: 8px; background: var(--card) }
article:target { border-color: var(--accent) }
code { font: .93em ui-monospace, monospace }
table { border-collapse: collapse; font-size: .93em }
th { padding: .15rem 1rem .15rem 0; font-weight: 500; text-align: left; vertical-align: top; color: var(--soft); white-space: nowrap }
td { padding: .15rem 0; vertical-align: top }
b { font-weight: 500; color: var(--accent) }
span { display: inline-block; min-width: 4.2em; padding: .05rem .5em; border-radius: 4px; font: 600 .85em ui-monospace, monospace; text-align: center; color: #fff; background: #5a6b75 }
.get { background: #1e6a8f }
.post { background: #2d7a4f }
.put { background: #96620f }
.delete { background: #a33a34 }
`
