/** Whatever looks like a URL, up to what ends it in a log line: its user, password, query and fragment go. */
const URL_TEXT = /\b([a-z][a-z\d+.-]*:\/\/)(?:[^\s"'\\<>/?#]*@)?([^\s"'\\<>?#]*)[^\s"'\\<>]*/gi
/** Keys of ours, of the provider and of Supabase, and signed tokens (RFC 7519). */
const KEY = /\b(?:sk|wk|sb_secret|sb_publishable)[-_][\w-]{8,}|\beyJ[\w-]{8,}(?:\.[\w-]+){1,2}/g
const CREDENTIALS = /\b(bearer|basic) +[\w.~+/=-]{6,}/gi
const ASSIGNED = /\b(password|passwd|secret|token|api[_-]?key)(["\\]*[=:]\s*["\\]*)[^\s"'\\&,}]+/gi
const EMAIL = /[\w.+-]+@[\w-]+(?:\.[\w-]+)+/g

/** A text, or a log line as JSON, without URLs' queries and users, keys, passwords and addresses of people. */
export const withoutSecrets = (text: string): string => {
  // Most lines hold neither; looking for them at every word takes longer than all the rest.
  const open = text.includes('://') ? text.replace(URL_TEXT, '$1$2') : text
  const kept = open.replace(KEY, '[key]').replace(CREDENTIALS, '$1 [key]').replace(ASSIGNED, '$1$2[secret]')
  return kept.includes('@') ? kept.replace(EMAIL, '[address]') : kept
}
