/** How numbers are written in reports: short, with the unit that the metric's name carries. */

export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return '-'
  const size = Math.abs(value)
  if (size >= 999.5) return Math.round(value).toLocaleString('en-US')
  if (size >= 100) return value.toFixed(0)
  if (size >= 10) return value.toFixed(1)
  return Number(value.toFixed(2)).toString()
}

/** `publishP99Ms` -> `publish p99 (ms)`. */
export function metricTitle(metric: string): string {
  const unit = /(Ms|Mb|BytesPerSocket|PerSecond|CpuUsPerPublish)$/.exec(metric)?.[1] ?? ''
  const units: Record<string, string> = {
    Ms: ' (ms)',
    Mb: ' (MB)',
    BytesPerSocket: ' (bytes a socket)',
    PerSecond: ' a second',
    CpuUsPerPublish: ' CPU (us a publish)',
  }
  const words = metric
    .slice(0, metric.length - unit.length)
    .replace(/P999$/, ' p99.9')
    .replace(/P(\d\d)$/, ' p$1')
    .replace(/([a-z])([A-Z])/g, '$1 $2')
    .replace(/503$/, ' 503')
    .toLowerCase()
  return words + (units[unit] ?? '')
}

/** Whether a smaller value of the metric is the better one. */
export function smallerIsBetter(metric: string): boolean {
  return !/PerSecond$|socketsHeld|socketsBack|Success$|RSquared$|Reached$|messagesCaughtUp/.test(
    metric,
  )
}
