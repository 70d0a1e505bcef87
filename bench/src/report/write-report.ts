/** Writes report.html, report.md and the plots of a result beside it. */
import { writeFileSync } from 'node:fs'
import { resultName, type RunResult } from '../results/result.ts'
import { buildReport } from './build-report.ts'
import { renderHtml, renderMarkdown } from './document.ts'

/** Returns the path of the HTML report. */
export function writeReport(result: RunResult, directory: string): string {
  const report = buildReport(result, resultName(directory))
  writeFileSync(`${directory}/report.html`, renderHtml(report))
  writeFileSync(`${directory}/report.md`, renderMarkdown(report))
  for (const { plots } of report.sections) {
    for (const plot of plots) writeFileSync(`${directory}/${plot.name}.svg`, `${plot.svg}\n`)
  }
  return `${directory}/report.html`
}
