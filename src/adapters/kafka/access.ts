import { readFileSync } from 'node:fs'
import type { KafkaConfig, SASLOptions } from 'kafkajs'

/** How the brokers are reached, as an operator says it. */
export interface KafkaAccess {
  /** `host:port` each. */
  readonly brokers: readonly string[]
  readonly tls: boolean
  /** A PEM file with the authority that signed the brokers' certificates, in place of those that Node trusts. */
  readonly caFile: string | null
  readonly login: {
    readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512'
    readonly username: string
    readonly password: string
  } | null
}

/** @throws when the authority's file cannot be read. */
export const connectionOf = ({ brokers, tls, caFile, login }: KafkaAccess): KafkaConfig => ({
  brokers: [...brokers],
  clientId: 'wearon',
  ...(tls && { ssl: caFile === null ? true : { ca: [readFileSync(caFile, 'utf8')] } }),
  // kafkajs has a type for each mechanism, and all are the same.
  ...(login !== null && { sasl: login as SASLOptions }),
})

/** What kafkajs says of a broker that does not let us in, in words that name the variable to look at. */
export const explained = (error: unknown): unknown => {
  const message = error instanceof Error ? error.message : ''
  if (/authentication failed|SASL mechanism/i.test(message))
    return new Error(`Kafka refuses KAFKA_USERNAME, KAFKA_PASSWORD or KAFKA_SASL_MECHANISM: ${message}`, {
      cause: error,
    })
  if (/certificate|self.signed|issuer/i.test(message))
    return new Error(`Kafka's certificate is not trusted, name its authority with KAFKA_CA: ${message}`, {
      cause: error,
    })
  return error
}
