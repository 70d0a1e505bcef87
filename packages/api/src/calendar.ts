/** Days as texts. Pure. */

/** True for a day such as 2026-01-31 that there is: Date.parse() takes February 30 for March 2. */
export function isInCalendar(day: string): boolean {
  const date = new Date(day)
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day)
}
