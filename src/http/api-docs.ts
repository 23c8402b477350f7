import { open } from './access.ts'
import { DOCS_POLICY, docsPage } from './docs-page.ts'
import { openapiOf } from './openapi.ts'
import { type Route, route } from './route.ts'

/** The description of the routes, made of them when it is first asked for. It says what there is, and nothing that is in it. */
export const apiDocRoutes = (described: () => readonly Route[]): Route[] => {
  let made: { readonly json: object; readonly page: string } | null = null
  const docs = () => (made ??= { json: openapiOf(described()), page: docsPage(described()) })
  return [
    route({
      method: 'get',
      path: '/openapi.json',
      title: 'The API, as OpenAPI 3.1',
      access: open,
      handle: () => ({ status: 200, body: docs().json }),
    }),
    route({
      method: 'get',
      path: '/docs',
      title: 'The API, for a person to read',
      access: open,
      handle: () => ({
        status: 200,
        headers: { 'Content-Type': 'text/html; charset=utf-8', 'Content-Security-Policy': DOCS_POLICY },
        body: docs().page,
      }),
    }),
  ]
}
