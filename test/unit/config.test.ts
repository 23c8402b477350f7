import { describe, expect, it } from 'vitest'
import { type Config, ConfigError, readConfig } from '../../src/config.ts'

const problemsOf = (environment: Record<string, string>): readonly string[] => {
  try {
    readConfig(environment)
    return []
  } catch (error) {
    if (error instanceof ConfigError) return error.problems
    throw error
  }
}

const chosen = (config: Config) => Object.fromEntries(config.choices.map(({ name, value }) => [name, value]))

describe('readConfig', () => {
  it('needs nothing: the embedded default follows from an empty environment', () => {
    const config = readConfig({})
    expect(chosen(config)).toEqual({
      EVENT_LOG: 'embedded',
      STORE: 'embedded',
      OBJECTS: 'folder',
      GENERATOR: 'preview',
    })
    expect(config).toMatchObject({ port: 8000, partitions: 64, concurrency: 5 })
    expect([...config.roles]).toEqual(['api', 'worker', 'projector', 'bridge'])
  })

  it('takes an empty variable for an unset one', () => {
    expect(readConfig({ PORT: '', ROLES: '', DATABASE_URL: '' }).port).toBe(8000)
  })

  it('chooses what is not chosen by what is set, and says why', () => {
    const { choices, store } = readConfig({ DATABASE_URL: 'postgres://wearon@localhost/wearon' })
    expect(store).toBe('postgres')
    expect(choices.find(({ name }) => name === 'STORE')?.because).toBe('DATABASE_URL is set')
    expect(choices.find(({ name }) => name === 'EVENT_LOG')?.value).toBe('embedded')
  })

  it('reports every problem at once', () => {
    const problems = problemsOf({ PORT: 'eighty', PARTITIONS: '0', DATABASE_URL: 'mysql://x', LOG_LEVEL: 'loud' })
    expect(problems.map((line) => line.split(' ')[0])).toEqual(['PORT', 'DATABASE_URL', 'PARTITIONS', 'LOG_LEVEL'])
  })

  it('takes a key for the choice of the provider, with the model, size, quality and prices of the contract', () => {
    const { openai } = readConfig({ OPENAI_API_KEY: 'sk-1' })
    expect(openai).toEqual({
      apiKey: 'sk-1',
      baseUrl: 'https://api.openai.com/v1',
      requestsPerMinute: 300,
      image: { model: 'gpt-image-1.5', size: '1024x1536', quality: 'medium' },
      prices: { textIn: 5, imageIn: 8, textOut: 10, imageOut: 32 },
    })
    expect(readConfig({ OPENAI_API_KEY: 'sk-1', GENERATOR: 'preview', IMAGE_MODEL: 'x' }).openai).toBeNull()
  })

  it.each([
    [{ GENERATOR: 'openai', OPENAI_API_KEY: '' }, 'OPENAI_API_KEY is needed for GENERATOR=openai'],
    [{ OPENAI_API_KEY: 'sk-1\n' }, 'OPENAI_API_KEY holds a space'],
    [{ IMAGE_MODEL: 'gpt-image-1' }, 'IMAGE_MODEL=gpt-image-1 is not known: take one of gpt-image-1.5, gpt-image-2,'],
    [{ IMAGE_MODEL: 'gpt-image-2.5' }, 'IMAGE_MODEL=gpt-image-2.5 is not known'],
    [{ IMAGE_SIZE: '2048x2048' }, 'IMAGE_SIZE=2048x2048: gpt-image-1.5 takes 1024x1024, 1536x1024, 1024x1536, auto'],
    [
      { IMAGE_MODEL: 'gpt-image-2', IMAGE_SIZE: '1000x1500' },
      'IMAGE_SIZE=1000x1500: gpt-image-2 takes auto or WIDTHxHEIGHT',
    ],
    [{ IMAGE_MODEL: 'gpt-image-2', IMAGE_SIZE: '512x1600' }, 'IMAGE_SIZE=512x1600: gpt-image-2 takes'],
    [
      { IMAGE_MODEL: 'gpt-image-2', IMAGE_QUALITY: 'max' },
      'IMAGE_QUALITY=max: gpt-image-2 takes low, medium, high, auto',
    ],
    [{ IMAGE_PRICES: '5,8,ten,32' }, 'IMAGE_PRICES is four prices in USD'],
    [{ IMAGE_PRICES: '5,8,10' }, 'IMAGE_PRICES is four prices in USD'],
  ])('refuses %o in one line, and never shows the key', (environment, problem) => {
    const problems = problemsOf({ OPENAI_API_KEY: 'sk-1', ...environment })
    expect(problems).toHaveLength(1)
    expect(problems[0]).toContain(problem)
    expect(problems[0]).not.toContain('sk-1')
  })

  it.each([
    { IMAGE_MODEL: 'gpt-image-1.5', IMAGE_SIZE: 'auto', IMAGE_QUALITY: 'auto' },
    { IMAGE_MODEL: 'gpt-image-2', IMAGE_SIZE: '1152x2048' },
    { IMAGE_MODEL: 'gpt-image-2.5-sunburst', IMAGE_SIZE: '2160x3840', IMAGE_QUALITY: 'max' },
    { IMAGE_MODEL: 'gpt-image-9', IMAGE_SIZE: '1x1', IMAGE_PRICES: '1,2,3.5,0' },
  ])('takes %o', (environment) => {
    expect(readConfig({ OPENAI_API_KEY: 'sk-1', ...environment }).openai?.image.model).toBe(environment.IMAGE_MODEL)
  })

  it('wants a database where one was chosen', () => {
    expect(problemsOf({ EVENT_LOG: 'postgres', STORE: 'postgres' })).toEqual([
      'DATABASE_URL is needed for EVENT_LOG=postgres',
      'DATABASE_URL is needed for STORE=postgres',
    ])
  })

  it('takes a Supabase project for the choice, with either kind of key of its service role and no other', () => {
    const jwt = (role: string) => `x.${Buffer.from(JSON.stringify({ role })).toString('base64url')}.x`
    const project = { SUPABASE_URL: 'https://abc.supabase.co' }
    for (const key of ['sb_secret_1', jwt('service_role')]) {
      const config = readConfig({ ...project, SUPABASE_SERVICE_ROLE_KEY: key })
      expect(config).toMatchObject({
        store: 'supabase',
        objects: 'supabase',
        supabase: { url: 'https://abc.supabase.co', key },
      })
    }
    for (const key of ['sb_publishable_1', jwt('anon'), 'none']) {
      const [problem] = problemsOf({ ...project, SUPABASE_SERVICE_ROLE_KEY: key })
      expect(problem).toContain('SUPABASE_SERVICE_ROLE_KEY is no key of the service role')
      expect(problem).not.toContain(key)
    }
    expect(problemsOf(project)).toEqual(['SUPABASE_SERVICE_ROLE_KEY is needed for STORE=supabase and OBJECTS=supabase'])
    expect(problemsOf({ STORE: 'supabase' })).toHaveLength(2)
    expect(problemsOf({ OBJECTS: 'supabase' })[0]).toBe('SUPABASE_URL is needed for OBJECTS=supabase')
  })

  it('wants a Redis where one was chosen, and takes its URL for the choice', () => {
    expect(problemsOf({ EVENT_LOG: 'redis' })).toEqual(['REDIS_URL is needed for EVENT_LOG=redis'])
    expect(readConfig({ REDIS_URL: 'rediss://default:secret@host:6379' }).eventLog).toBe('redis')
  })

  it('wants brokers where Kafka was chosen, and takes brokers for the choice', () => {
    expect(problemsOf({ EVENT_LOG: 'kafka' })).toEqual(['KAFKA_BROKERS is needed for EVENT_LOG=kafka'])
    const brokers = readConfig({ KAFKA_BROKERS: 'one:9092, two:9092' })
    expect(brokers).toMatchObject({ eventLog: 'kafka', kafka: { brokers: ['one:9092', 'two:9092'], tls: false } })
  })

  it('sends a password to Kafka over TLS unless told otherwise, and takes mechanisms as they are written', () => {
    const login = { KAFKA_BROKERS: 'one:9092', KAFKA_USERNAME: 'me', KAFKA_PASSWORD: 'secret' }
    const { kafka } = readConfig({ ...login, KAFKA_SASL_MECHANISM: 'SCRAM-SHA-512' })
    expect(kafka).toMatchObject({
      tls: true,
      caFile: null,
      login: { mechanism: 'scram-sha-512', username: 'me', password: 'secret' },
    })
    expect(readConfig({ ...login, KAFKA_TLS: 'false' }).kafka.tls).toBe(false)
    expect(readConfig({ KAFKA_BROKERS: 'one:9092', KAFKA_CA: '/ca.pem' }).kafka).toMatchObject({
      tls: true,
      login: null,
    })
    expect(problemsOf({ ...login, KAFKA_PASSWORD: '' })).toEqual([
      'KAFKA_USERNAME and KAFKA_PASSWORD are needed together',
    ])
    expect(problemsOf({ ...login, KAFKA_SASL_MECHANISM: 'gssapi' }).join()).toContain('KAFKA_SASL_MECHANISM')
    expect(problemsOf({ ...login, KAFKA_CA: '/ca.pem', KAFKA_TLS: 'no' })).toEqual([
      'KAFKA_CA is for TLS, and KAFKA_TLS turns it off',
    ])
  })

  it('refuses a role that does not exist', () => {
    expect(problemsOf({ ROLES: 'api,wroker' })).toHaveLength(1)
    expect([...readConfig({ ROLES: 'api, worker' }).roles]).toEqual(['api', 'worker'])
  })

  it('reads times in seconds', () => {
    const { policy, shutdownGraceMs } = readConfig({ QUEUE_AGE_MAX: '60', TRY_TIMEOUT: '30', SHUTDOWN_GRACE: '10' })
    expect(policy.queueAgeMaxMs).toBe(60_000)
    expect(policy.tryTimeoutMs).toBe(30_000)
    expect(shutdownGraceMs).toBe(10_000)
  })
})
