/**
 * The failure of a start because of its settings. Thrown on the main thread by loadConfig, shown by
 * main.ts as it is: one line a problem, each naming the variable, its value and what is allowed.
 */
export class ConfigError extends Error {
  /** One line each; a secret value is never in it. */
  readonly problems: readonly string[]

  constructor(problems: readonly string[]) {
    super(problems.join('\n'))
    this.name = 'ConfigError'
    this.problems = problems
  }
}
