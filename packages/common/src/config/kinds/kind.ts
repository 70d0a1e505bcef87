/** What every kind of setting value has in common. Used by the tables in settings/ and by read-settings.ts. */
export interface Kind<T> {
  /** Shown in docs/configuration.md. */
  readonly label: string
  /** Lists and maps: an empty value leaves the default, as in Gotify. */
  readonly emptyIsDefault?: true
  /** @throws {Error} "must be ...", without the value: it may be a secret. */
  parse(raw: string): T
}
