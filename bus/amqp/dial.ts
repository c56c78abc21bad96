import { connect, type ChannelModel, type Options } from 'amqplib';
import { readFile } from 'node:fs/promises';
import { BusTopologyError, BusUnavailable, ConfigError, SECOND, messageOf, type Config } from '@nephometer/core';

/** `bus` of the configuration, with every default. */
export type BusSettings = Config['bus'];

/** The broker knows us not: user, password or virtual host. Permanent at the start; later the broker may be set up anew. */
export class AccessDenied extends BusTopologyError {
  override name = 'BusTopologyError';
}

const CONNECT_TIMEOUT_MS = 10_000;

/** One connection to the broker, shown there as `name`. @throws AccessDenied, ConfigError, BusUnavailable */
export async function dial(url: string, config: BusSettings, name: string): Promise<ChannelModel> {
  const options = await connectOptions(url, config);
  const socket = {
    clientProperties: { connection_name: name },
    noDelay: true,
    keepAlive: true,
    timeout: CONNECT_TIMEOUT_MS,
  };
  try {
    return await connect(options, socket);
  } catch (cause) {
    throw connectError(cause, url, options);
  }
}

/** Where a URL leads, without the password: for logs and messages. */
export function maskUrl(url: string): string {
  try {
    const { protocol, username, host, pathname } = new URL(url);
    return `${protocol}//${username === '' ? '' : `${username}@`}${host}${pathname}`;
  } catch {
    return 'an unreadable URL';
  }
}

async function connectOptions(url: string, config: BusSettings): Promise<Options.Connect> {
  const { protocol, username, password, hostname, port, pathname } = parseUrl(url);
  const secret = config.password_file === undefined ? null : await readPassword(config.password_file);
  const anonymous = username === '' && password === '' && secret === null;
  return {
    protocol: protocol.slice(0, -1),
    hostname: hostname.replace(/^\[|\]$/g, ''),
    ...(port === '' ? {} : { port: Number(port) }),
    username: anonymous ? 'guest' : decodeURIComponent(username),
    password: anonymous ? 'guest' : (secret ?? decodeURIComponent(password)),
    // Still percent-encoded: amqplib decodes it.
    vhost: pathname.slice(1),
    heartbeat: Math.ceil(config.heartbeat / SECOND),
  };
}

function parseUrl(url: string): URL {
  const problem = (message: string) =>
    new ConfigError([{ file: 'configuration', line: null, key: 'bus.url', message }]);
  let parsed: URL;
  try {
    parsed = new URL(url);
  } catch {
    throw problem('is not a URL; for example amqp://user@broker:5672 would be right');
  }
  if (/^amqps?:$/.test(parsed.protocol)) return parsed;
  throw problem(`begins with ${parsed.protocol}, which RabbitMQ does not speak; amqp: or amqps: would be right`);
}

async function readPassword(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
  } catch (cause) {
    const message = `names a file that cannot be read: ${messageOf(cause)}`;
    throw new ConfigError([{ file, line: null, key: 'bus.password_file', message }]);
  }
}

function connectError(cause: unknown, url: string, { username, vhost }: Options.Connect): Error {
  const found = messageOf(cause);
  const broker = maskUrl(url);
  if (/ACCESS.REFUSED/.test(found)) {
    return new AccessDenied(
      `${broker} refuses the user "${username}" (${found}). Set the password in bus.password_file, or create the user ` +
        `on the broker.`,
    );
  }
  // The broker answers `connection.open` with `connection.close` when the virtual host is not there or not ours.
  if (/Expected ConnectionOpenOk; got <ConnectionClose/.test(found)) {
    const name = vhost === '' ? '/' : decodeURIComponent(vhost ?? '/');
    return new AccessDenied(
      `${broker} does not let the user "${username}" into the virtual host "${name}". Create it (rabbitmqctl add_vhost) ` +
        `and give the user permissions there (rabbitmqctl set_permissions), or correct the path of bus.url.`,
    );
  }
  return new BusUnavailable(`${broker} cannot be reached: ${found}.`);
}
