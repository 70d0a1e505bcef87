/** As much of a browser as a sign-in needs: it keeps cookies by origin and follows redirects as far as it is told. */
export class Browser {
  readonly #cookies = new Map<string, Map<string, string>>()

  /** The value of a cookie; undefined without one. */
  cookie(origin: string, name: string): string | undefined {
    return this.#cookies.get(origin)?.get(name)
  }

  async get(url: string): Promise<Response> {
    const { origin } = new URL(url)
    const jar = this.#cookies.get(origin) ?? new Map<string, string>()
    this.#cookies.set(origin, jar)
    const cookie = [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
    const response = await fetch(url, { headers: { cookie }, redirect: 'manual' })
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split(';', 1)[0] ?? '').split('=', 2)
      if (value === '') jar.delete(name)
      else jar.set(name, value)
    }
    return response
  }

  /** Follows redirects until one leads to a URL that begins with `end`; returns that URL. */
  async follow(url: string, end: string): Promise<string> {
    let at = url
    for (let hops = 0; hops < 10; hops++) {
      const response = await this.get(at)
      const location = response.headers.get('location')
      if (location === null) throw new Error(`${at}: ${response.status} ${await response.text()}`)
      at = new URL(location, at).href
      if (at.startsWith(end)) return at
    }
    throw new Error(`Too many redirects, the last to ${at}`)
  }
}
