import type { Variables } from './variables.ts'

/** How Kafka is reached. A password goes over TLS unless somebody says otherwise: managed Kafka takes no other. */
export const kafkaOf = (variables: Variables) => {
  const { KAFKA_BROKERS, KAFKA_TLS, KAFKA_CA, KAFKA_USERNAME: username, KAFKA_PASSWORD: password } = variables
  const mechanism = variables.KAFKA_SASL_MECHANISM
  return {
    /** `host:port` each. */
    brokers: KAFKA_BROKERS,
    tls: KAFKA_TLS ?? (KAFKA_CA !== undefined || username !== undefined),
    caFile: KAFKA_CA ?? null,
    login: username === undefined || password === undefined ? null : { mechanism, username, password },
  }
}

/** What is wrong with the variables of Kafka, one line each. */
export const kafkaProblems = (variables: Variables, chosen: boolean): string[] => {
  const { KAFKA_BROKERS, KAFKA_TLS, KAFKA_CA, KAFKA_USERNAME, KAFKA_PASSWORD } = variables
  return [
    ...(chosen && KAFKA_BROKERS.length === 0 ? ['KAFKA_BROKERS is needed for EVENT_LOG=kafka'] : []),
    ...((KAFKA_USERNAME === undefined) !== (KAFKA_PASSWORD === undefined)
      ? ['KAFKA_USERNAME and KAFKA_PASSWORD are needed together']
      : []),
    ...(KAFKA_TLS === false && KAFKA_CA !== undefined ? ['KAFKA_CA is for TLS, and KAFKA_TLS turns it off'] : []),
  ]
}
