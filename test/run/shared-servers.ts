import {
  startInflux,
  startRabbit,
  startVictoria,
  ensureTools,
  URL_VARIABLES,
  type ToolName,
} from '../servers/index.ts';

interface Shared {
  readonly tools: readonly ToolName[];
  readonly variable: string;
  readonly start: () => Promise<{ readonly url: string; stop(): Promise<void> }>;
}

const SERVERS: readonly Shared[] = [
  { tools: ['rabbitmq', 'epmd'], variable: URL_VARIABLES.rabbitmq, start: startRabbit },
  { tools: ['influxdb'], variable: URL_VARIABLES.influxdb, start: startInflux },
  { tools: ['victoria'], variable: URL_VARIABLES.victoria, start: startVictoria },
];

/**
 * Starts one server of each kind that no URL in the environment names, and puts their URLs there for the test files.
 * @returns the way to end them
 */
export async function startSharedServers(): Promise<() => Promise<void>> {
  const wanted = SERVERS.filter(({ variable }) => !process.env[variable]);
  await ensureTools(...wanted.flatMap(({ tools }) => tools)); // in one installation
  const started = await Promise.all(
    wanted.map(async ({ variable, start }) => {
      const server = await start();
      process.env[variable] = server.url;
      return server;
    }),
  );
  return async () => {
    await Promise.all(started.map((server) => server.stop()));
  };
}
