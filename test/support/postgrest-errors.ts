import pg from 'pg'

export interface ErrorAnswer {
  readonly status: number
  readonly body: { code: string; message: string; details: string | null; hint: string | null }
}

export const errorAnswer = (
  status: number,
  code: string,
  message: string,
  details: string | null = null,
): ErrorAnswer => ({ status, body: { code, message, details, hint: null } })

/** How PostgREST 12 to 14 answers what PostgreSQL said: its words as they are, under a status by SQLSTATE (docs.postgrest.org, errors). */
export const databaseAnswer = (error: unknown, role: string): ErrorAnswer => {
  if (!(error instanceof pg.DatabaseError) || error.code === undefined)
    return errorAnswer(503, 'PGRST001', 'Database client error. Retrying the connection.', (error as Error).message)
  const { code, message, detail, hint } = error
  const status = code === '42501' && role === 'anon' ? 401 : statusOf(code)
  return { status, body: { code, message, details: detail ?? null, hint: hint ?? null } }
}

const statusOf = (code: string): number => byCode[code] ?? byClass[code.slice(0, 2)] ?? 400

const byCode: Readonly<Record<string, number>> = {
  '23503': 409,
  '23505': 409,
  '25006': 405,
  '21000': 500,
  '42501': 403,
  '42883': 404,
  '42P01': 404,
  '42P17': 500,
  '53400': 500,
  '57P01': 503,
  P0001: 400,
}

const byClass: Readonly<Record<string, number>> = {
  '08': 503,
  '09': 500,
  '0L': 403,
  '0P': 403,
  '25': 500,
  '28': 403,
  '2D': 500,
  '38': 500,
  '39': 500,
  '3B': 500,
  '40': 500,
  '53': 503,
  '54': 500,
  '55': 500,
  '57': 500,
  '58': 500,
  F0: 500,
  HV: 500,
  P0: 500,
  XX: 500,
}
