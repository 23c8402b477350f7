import { join } from 'node:path'
import type { KafkaSecurity } from './kafka-server.ts'

/** What a broker's settings depend on. */
export interface BrokerPorts {
  readonly port: number
  /** Of the controller, which is the first broker's process. */
  readonly controllerPort: number
  readonly advertised: readonly number[]
  readonly behind: readonly number[]
  readonly secure: (KafkaSecurity & { readonly port: number }) | null
}

/** The settings of the broker with this id: of the first one, which is the controller too, or of another one in its cluster. */
export const propertiesOf = (
  id: number,
  folder: string,
  { port, controllerPort, advertised, behind, secure }: BrokerPorts,
) =>
  Object.entries({
    'process.roles': id === 1 ? 'broker,controller' : 'broker',
    'node.id': id,
    'controller.quorum.voters': `1@127.0.0.1:${controllerPort}`,
    listeners: [
      ...listeners([port, ...behind]),
      ...secureListener(secure),
      ...(id === 1 ? [`CONTROLLER://127.0.0.1:${controllerPort}`] : []),
    ].join(','),
    'advertised.listeners': [...listeners([port, ...advertised]), ...secureListener(secure)].join(','),
    'listener.security.protocol.map':
      [0, ...advertised].map((_, index) => `L${index}:PLAINTEXT,`).join('') + 'SECURE:SASL_SSL,CONTROLLER:PLAINTEXT',
    'inter.broker.listener.name': 'L0',
    'controller.listener.names': 'CONTROLLER',
    'log.dirs': join(folder, 'data'),
    'offsets.topic.num.partitions': 1,
    'offsets.topic.replication.factor': 1,
    'transaction.state.log.replication.factor': 1,
    'transaction.state.log.min.isr': 1,
    'share.coordinator.state.topic.replication.factor': 1,
    'share.coordinator.state.topic.min.isr': 1,
    'group.initial.rebalance.delay.ms': 0,
    // Tests do not wait 6 s for a process that died.
    'group.min.session.timeout.ms': 500,
    // A broker that was killed is back without waiting until its controller takes it for dead.
    'broker.session.timeout.ms': 4_000,
    'broker.heartbeat.interval.ms': 500,
    'auto.create.topics.enable': false,
    ...(secure && securityOf(secure)),
  })
    .map(([name, value]) => `${name}=${value}\n`)
    .join('')

const secureListener = (secure: BrokerPorts['secure']): string[] =>
  secure ? [`SECURE://localhost:${secure.port}`] : []

const securityOf = ({ keystore, username, password }: KafkaSecurity) => {
  const login = (kind: string, options = '') =>
    `org.apache.kafka.common.security.${kind}LoginModule required ${options};`
  return {
    'listener.name.secure.ssl.keystore.type': 'PEM',
    'listener.name.secure.ssl.keystore.location': keystore,
    'listener.name.secure.sasl.enabled.mechanisms': 'PLAIN,SCRAM-SHA-512',
    'listener.name.secure.plain.sasl.jaas.config': login('plain.Plain', `user_${username}="${password}"`),
    'listener.name.secure.scram-sha-512.sasl.jaas.config': login('scram.Scram'),
  }
}

const listeners = (ports: readonly number[]): string[] => ports.map((port, index) => `L${index}://127.0.0.1:${port}`)
