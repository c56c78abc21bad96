import { definePollster } from '@nephometer/core/plugin';
import type { PollContext, Reading, Resource } from '@nephometer/core/plugin';
import { readAnswer } from './answers.ts';
import { Client } from './client.ts';
import { runCommand } from './command.ts';
import { HttpConfig } from './config.ts';
import type { HttpOptions } from './config.ts';
import { endpointOf } from './definition.ts';
import type { Definition } from './definition.ts';
import { merge } from './merge.ts';
import { Tally } from './tally.ts';
import { readPage, visitsOf, walk } from './walk.ts';

type Context = PollContext<HttpOptions>;
type Readings = AsyncGenerator<Reading>;

/** Tokens live as long as the options they belong to. */
const clients = new WeakMap<HttpOptions, Client>();

/** Pollsters written as YAML in the format of Ceilometer's dynamic pollsters. */
export default definePollster<HttpOptions>({
  name: 'http',
  contract: 1,
  options: HttpConfig,
  meters: 'dynamic',
  enabled: ({ options }) =>
    options.definitions.length > 0 ||
    'no pollster is defined for the central agent; name files below plugins.http.definitions',
  discovery: ({ options }) => [...new Set(options.definitions.map(endpointOf))].map((id) => ({ id })),
  async *poll(resources, context) {
    const byId = new Map(resources.map((resource) => [resource.id, resource]));
    const asked = context.options.definitions.flatMap((definition) => {
      const resource = byId.get(endpointOf(definition));
      return resource === undefined ? [] : [{ definition, resource }];
    });
    const tally = new Tally(context.report, context.log);
    const client = clientOf(context.options);
    const visits = visitsOf((await Promise.all(asked.map((one) => startsOf(one, client, context, tally)))).flat());
    const commands = asked.filter(({ definition }) => definition.origin.kind === 'command');
    const sources = [
      ...visits.map((visit) => () => walk(visit, client, context, tally)),
      ...commands.map((one) => () => runOne(one, context, tally)),
    ];
    yield* merge(sources, context.options.parallel);
  },
});

interface Asked {
  readonly definition: Definition;
  readonly resource: Resource;
}

function clientOf(options: HttpOptions): Client {
  const client = clients.get(options) ?? new Client(options);
  clients.set(options, client);
  return client;
}

async function startsOf({ definition, resource }: Asked, client: Client, context: Context, tally: Tally) {
  try {
    const pages = await client.firstPages(definition, context.signal);
    return pages.map((page) => ({ page, definition, resource }));
  } catch (cause) {
    tally.failed(definition, resource, cause);
    return [];
  }
}

async function* runOne(asked: Asked, { options, signal }: Context, tally: Tally): Readings {
  const { definition, resource } = asked;
  try {
    if (definition.origin.kind !== 'command') return;
    const limits = { maxSize: options.maxSize, timeoutMs: definition.timeoutMs, signal };
    const answer = readAnswer(await runCommand(definition.origin.command, limits), definition.handlers);
    yield* readPage(answer, asked, tally);
  } catch (cause) {
    tally.failed(definition, resource, cause);
  }
}
