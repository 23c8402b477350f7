/** A problem as the API answers it (RFC 9457). */
export interface ProblemJson {
  readonly code: string
  readonly status: number
  readonly detail: string
  readonly request_id?: string
  readonly errors?: readonly { readonly detail: string; readonly pointer?: string }[]
}

/** Thrown for every answer that is no success, and for none at all. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly problem: ProblemJson

  constructor(problem: ProblemJson) {
    super(problem.detail)
    this.problem = problem
  }
}

/** A list as the API pages it: `next` is the cursor of the next page. */
export interface PageOf<Item> {
  readonly items: readonly Item[]
  readonly next: string | null
}

export type Query = Readonly<Record<string, string | number | null | undefined>>

/** Says to the server that a page of its own asks: no form and no image of another page can send it. */
const PROOF = { 'X-Console': '1' }

/** Asks the API in the name of whoever is signed in. Every method rejects with ApiError, or when the signal aborts. */
export class Api {
  readonly #signal: AbortSignal
  readonly #onSignedOut: () => void

  /** `onSignedOut`: called when the API does not know us any more. */
  constructor(signal: AbortSignal, onSignedOut: () => void) {
    this.#signal = signal
    this.#onSignedOut = onSignedOut
  }

  get<Answer>(path: string, query: Query = {}): Promise<Answer> {
    return this.#ask<Answer>('GET', withQuery(path, query), {})
  }

  post<Answer>(path: string, body: object = {}, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    const init = jsonOf(body)
    return this.#ask<Answer>('POST', path, { ...init, headers: { ...init.headers, ...headers } })
  }

  /** Sends the bytes of a picture. */
  upload<Answer>(path: string, picture: Blob): Promise<Answer> {
    return this.#ask<Answer>('POST', path, bytesOf(picture))
  }

  /** Has a picture drawn of what is sent; of what is refused too, so its status says nothing here. */
  async draw(path: string, asked: object | Blob): Promise<Blob> {
    const { headers, ...init } = asked instanceof Blob ? bytesOf(asked) : jsonOf(asked)
    const response = await this.#reach(path, { ...init, method: 'POST', headers: { ...headers, ...PROOF } })
    if (response.headers.get('Content-Type')?.startsWith('image/') === true) return response.blob()
    throw new ApiError(problemOf(await response.json().catch(() => null), response.status))
  }

  remove<Answer>(path: string): Promise<Answer> {
    return this.#ask<Answer>('DELETE', path, {})
  }

  async #ask<Answer>(method: string, path: string, init: RequestInit): Promise<Answer> {
    const headers = { Accept: 'application/json', ...PROOF, ...(init.headers as Record<string, string> | undefined) }
    const response = await this.#reach(path, { ...init, method, headers })
    if (response.status === 401) this.#onSignedOut()
    const body: unknown = response.status === 204 ? null : await response.json().catch(() => null)
    if (!response.ok) throw new ApiError(problemOf(body, response.status))
    return body as Answer
  }

  async #reach(path: string, init: RequestInit): Promise<Response> {
    try {
      return await fetch(path, { ...init, signal: this.#signal, credentials: 'same-origin', cache: 'no-store' })
    } catch (error) {
      if (this.#signal.aborted) throw error
      throw new ApiError({
        code: 'unreachable',
        status: 0,
        detail: 'The server does not answer; it may be restarting.',
      })
    }
  }
}

const jsonOf = (body: object) => ({ body: JSON.stringify(body), headers: { 'Content-Type': 'application/json' } })

/** Browsers know no type for some pictures; the server looks at their first bytes anyway. */
const bytesOf = (picture: Blob) => ({
  body: picture,
  headers: { 'Content-Type': picture.type.startsWith('image/') ? picture.type : 'application/octet-stream' },
})

/** A path with the query parameters that are given. */
export const withQuery = (path: string, query: Query): string => {
  const given = Object.entries(query).filter(([, value]) => value !== null && value !== undefined && value !== '')
  const search = new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()
  return search === '' ? path : `${path}?${search}`
}

const problemOf = (body: unknown, status: number): ProblemJson =>
  typeof body === 'object' && body !== null && 'detail' in body && 'code' in body
    ? (body as ProblemJson)
    : { code: `http_${status}`, status, detail: `The server answered ${status} without saying why.` }
