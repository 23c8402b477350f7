import type { KafkaConfig } from 'kafkajs'

/** A lease that nobody could extend for this part of its time is as good as lost: then the next try begins on a new connection. */
const ANSWER_PER_TTL = 0.5
/** Above the time for which brokers hold a question that has no answer yet. */
const ANSWER_MS_MIN = 1_500
const CONNECT_MS_MAX = 1_000

/**
 * How long to wait for brokers, by the time of a lease, ms. kafkajs itself waits for half a minute for an answer, and between
 * its tries for ten seconds: much longer than it takes a broker to restart. Whoever calls repeats by itself.
 */
export const patience = (ttlMs: number): Partial<KafkaConfig> => {
  const answerMs = Math.max(ttlMs * ANSWER_PER_TTL, ANSWER_MS_MIN)
  return {
    connectionTimeout: Math.min(answerMs, CONNECT_MS_MAX),
    authenticationTimeout: answerMs,
    requestTimeout: answerMs,
    retry: { retries: 3, initialRetryTime: 50, maxRetryTime: 500 },
  }
}
