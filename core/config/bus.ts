import { z } from 'zod';
import { Duration, Size, url } from './values.ts';

export const BusTlsConfig = z
  .strictObject({
    ca_file: z.string().optional().meta({
      description: 'File with the authorities (PEM) that may vouch for the broker. Default: those that Node knows.',
    }),
    cert_file: z
      .string()
      .optional()
      .meta({ description: 'Our own certificate (PEM), for a broker that asks for one.' }),
    key_file: z.string().optional().meta({ description: 'Key (PEM) of that certificate.' }),
    server_name: z.string().min(1).optional().meta({
      description: "Name that the broker's certificate must have. Default: the host in bus.url.",
    }),
  })
  .refine((tls) => (tls.cert_file === undefined) === (tls.key_file === undefined), {
    path: ['key_file'],
    error: 'cert_file and key_file go together; name both or none',
  });
export type BusTlsConfig = z.output<typeof BusTlsConfig>;

export const BusConfig = z.strictObject({
  url: url(['amqp', 'amqps', 'memory'], 'amqp://user@broker:5672')
    .prefault('amqp://guest:guest@127.0.0.1:5672')
    .meta({ description: 'The message bus. `memory:` is inside one process (`up`). Secrets: see password_file.' }),
  password_file: z.string().optional().meta({ description: 'File with the password of the user in url.' }),
  tls: BusTlsConfig.prefault({}).meta({
    description: 'For `amqps:`. The certificate of the broker is always checked.',
  }),
  namespace: z
    .string()
    .regex(/^[\w.-]+$/, 'must be letters, digits, `.`, `_` or `-`')
    .prefault('nephometer')
    .meta({
      description: 'Prefix of our exchanges and queues; two installations on one broker need two.',
    }),
  window: z.int().min(1).max(10_000).prefault(256).meta({ description: 'Messages published and not yet confirmed.' }),
  heartbeat: Duration.prefault('15s').meta({ description: 'AMQP heartbeat.' }),
  reconnect_max: Duration.prefault('30s').meta({ description: 'Longest wait between two attempts to connect.' }),
  confirm_alarm: Duration.prefault('60s').meta({ description: 'A publish without confirm for this long is alarmed.' }),
  delivery_limit: z
    .int()
    .min(1)
    .prefault(20)
    .meta({ description: 'Deliveries before the broker dead-letters a message.' }),
  max_message: Size.prefault('16MiB').meta({ description: 'Largest message taken from the bus.' }),
});

export const CeilometerBusConfig = z.strictObject({
  enabled: z.boolean().prefault(false).meta({ description: 'Also consume samples that a Ceilometer publishes.' }),
  exchange: z.string().prefault('ceilometer').meta({ description: "Ceilometer's exchange." }),
  durable: z.boolean().prefault(false).meta({ description: 'Whether that exchange is durable (amqp_durable_queues).' }),
  auto_delete: z.boolean().prefault(false).meta({ description: 'Whether it is deleted with its last queue.' }),
  routing_keys: z.array(z.string()).prefault(['metering.sample', 'notifications.sample']).meta({
    description: 'Routing keys to bind; our queue is our own, so a Ceilometer that runs loses nothing.',
  }),
});

export const NotificationsConfig = z.strictObject({
  exchanges: z.array(z.string()).prefault(['nova', 'glance', 'cinder', 'neutron']).meta({
    description: 'Exchanges of the services to listen to.',
  }),
  topics: z.array(z.string()).prefault(['notifications']).meta({ description: 'Topics (`notification_topics`).' }),
  priorities: z
    .array(z.enum(['info', 'sample', 'error', 'warn', 'debug', 'critical', 'audit']))
    .prefault(['info', 'sample']),
  durable: z
    .boolean()
    .prefault(false)
    .meta({ description: 'Whether the exchanges are durable (amqp_durable_queues).' }),
  auto_delete: z.boolean().prefault(false).meta({ description: 'Whether they are deleted with their last queue.' }),
  source: z.string().prefault('openstack').meta({ description: 'Source of the samples made from notifications.' }),
});
