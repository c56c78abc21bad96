import { connect, type ChannelModel, type Options } from 'amqplib';
import { readFile } from 'node:fs/promises';
import type { ConnectionOptions } from 'node:tls';
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
    ...(options.protocol === 'amqps' ? await tlsOptions(config.tls) : {}),
    clientProperties: { connection_name: name },
    noDelay: true,
    keepAlive: true,
    timeout: CONNECT_TIMEOUT_MS,
  };
  try {
    return await connect(options, socket);
  } catch (cause) {
    throw connectError(cause, url, options, config.tls);
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
  return (await readNamed(file, 'bus.password_file')).replace(/\r?\n$/, '');
}

/** Read at each connection, so that renewed certificates are taken up. @throws ConfigError */
async function tlsOptions(tls: BusSettings['tls']): Promise<ConnectionOptions> {
  const { ca_file: ca, cert_file: cert, key_file: key, server_name: servername } = tls;
  return {
    ...(ca === undefined ? {} : { ca: await readNamed(ca, 'bus.tls.ca_file') }),
    ...(cert === undefined ? {} : { cert: await readNamed(cert, 'bus.tls.cert_file') }),
    ...(key === undefined ? {} : { key: await readNamed(key, 'bus.tls.key_file') }),
    ...(servername === undefined ? {} : { servername }),
  };
}

async function readNamed(file: string, key: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (cause) {
    const message = `names a file that cannot be read: ${messageOf(cause)}`;
    throw new ConfigError([{ file, line: null, key, message }]);
  }
}

function connectError(
  cause: unknown,
  url: string,
  { username, vhost }: Options.Connect,
  tls: BusSettings['tls'],
): Error {
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
  return new BusUnavailable(`${broker} cannot be reached: ${found}.${tlsRemedy(cause, tls)}`);
}

const UNKNOWN_AUTHORITY = /SELF_SIGNED|UNABLE_TO_(GET_ISSUER|VERIFY)/;

/** What to look at when two ends do not agree about certificates; '' when it is not about them. */
function tlsRemedy(cause: unknown, { ca_file: ca, cert_file: cert }: BusSettings['tls']): string {
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  if (UNKNOWN_AUTHORITY.test(code)) {
    const authority = ca === undefined ? 'no authority that Node knows' : `none of the authorities in ${ca}`;
    return ` Its certificate is vouched for by ${authority}; name the right one in bus.tls.ca_file.`;
  }
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') {
    return ' Name the broker in bus.url as its certificate does, or that name in bus.tls.server_name.';
  }
  if (code === 'CERT_HAS_EXPIRED') return " The broker's certificate is over; renew it there.";
  if (!/^ERR_SSL|^EPROTO/.test(code)) return '';
  return cert === undefined
    ? ' If the broker asks for a certificate, name ours in bus.tls.cert_file and bus.tls.key_file; if it speaks no TLS on this port, use amqp:.'
    : ' Compare the certificates on both sides, and whether the broker speaks TLS on this port.';
}
