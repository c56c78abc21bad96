import { access } from 'node:fs/promises';
import { join } from 'node:path';
import { definePollster, matchesAny } from '@nephometer/core/plugin';
import type { MeterDescription, PluginContext, PollContext, Reading, Resource } from '@nephometer/core/plugin';
import type { CpuAccounts } from './accounts.ts';
import { UsersConfig } from './config.ts';
import { readUserNames } from './passwd.ts';
import { readProcesses } from './processes.ts';
import type { ProcessSnapshot } from './processes.ts';
import { loadAccounts, readBoot, saveAccounts } from './state.ts';

/** A tick of /proc is a hundredth of a second, whatever the kernel's own clock. */
const NS_PER_TICK = 10_000_000n;

const METERS = {
  'user.cpu': {
    unit: 'ns',
    type: 'cumulative',
    description:
      'CPU time of the processes of a user, ended ones included, since the node booted or the plugin first ran.',
  },
  'user.memory.usage': { unit: 'B', type: 'gauge', description: 'Memory held by the processes of a user.' },
  'user.processes': { unit: 'process', type: 'gauge', description: 'Processes of a user, zombies included.' },
} as const satisfies Record<string, MeterDescription>;

/** What a user has now. */
interface Holding {
  uid: number;
  ticks: number;
  memoryBytes: number;
  processes: number;
}

/** Who uses this node: the user is the project. */
export function createUsers() {
  let accounts: CpuAccounts | null = null;
  let boot = '';
  let present: ReadonlySet<string> = new Set();
  let saveFailed = false;
  let names: ReadonlyMap<number, string> | null = null;

  const save = async (path: string | null, { log }: PollContext<UsersConfig>, current: CpuAccounts): Promise<void> => {
    if (path === null || boot === '') return;
    try {
      await saveAccounts(path, boot, current);
      saveFailed = false;
    } catch (cause) {
      if (!saveFailed) log.warn({ path, cause }, 'CPU time so far cannot be saved; a restart will show as a reset.');
      saveFailed = true;
    }
  };

  return definePollster<UsersConfig>({
    name: 'users',
    contract: 1,
    options: UsersConfig,
    meters: METERS,
    discovery: 'local-node',
    enabled: async ({ options }) => {
      const first = join(options.proc, '1/stat');
      return access(first).then(
        () => true as const,
        () => `${first} cannot be read: no Linux, or the processes of others are hidden (hidepid)`,
      );
    },
    async *poll([node, ...others], context) {
      for (const other of others) context.report(other, new Error('the users plugin measures one node, its own'));
      if (node === undefined) return;
      const { options, signal, report } = context;
      names = await namesNow(context, node, names);
      const { processes, errors } = await readProcesses(options.proc, options.memory, signal);
      if (errors.length > 0)
        report(
          node,
          new AggregateError(
            errors,
            `not read: ${errors.length} of its processes, the first because ${messageOf(errors[0])}`,
          ),
        );
      const path = statePath(context);
      if (accounts === null) {
        boot = await readBoot(options.proc);
        accounts = await loadAccounts(path, boot);
      }
      const holdings = holdingsByName(accounts.update(processes), processes, names);
      await save(path, context, accounts);
      for (const [name, holding] of holdings) {
        // A user whose last process ended is told once more, with the time that it used till then.
        const isHere = holding.processes > 0 || present.has(name);
        if (isHere && !matchesAny(options.exclude_users, name)) yield* readingsOf(node, name, holding);
      }
      present = new Set([...holdings].filter(([, { processes: count }]) => count > 0).map(([name]) => name));
    },
  });
}

/** @throws when there are no names yet: under a number in place of the name the time would go to another project */
async function namesNow(
  { options, report }: PollContext<UsersConfig>,
  node: Resource,
  last: ReadonlyMap<number, string> | null,
): Promise<ReadonlyMap<number, string>> {
  try {
    return await readUserNames(options.passwd);
  } catch (cause) {
    if (last === null) throw cause;
    report(node, cause);
    return last;
  }
}

function messageOf(cause: unknown): string {
  return cause instanceof Error ? cause.message : String(cause);
}

function statePath({ options, config }: PluginContext<UsersConfig>): string | null {
  if (options.state_file !== undefined) return options.state_file;
  const folder = config['data_dir'];
  return typeof folder === 'string' ? join(folder, 'users-plugin.json') : null;
}

function holdingsByName(
  ticksByUid: ReadonlyMap<number, number>,
  processes: readonly ProcessSnapshot[],
  names: ReadonlyMap<number, string>,
): Map<string, Holding> {
  const holdings = new Map<string, Holding>();
  const of = (uid: number): Holding => {
    const name = names.get(uid) ?? String(uid);
    let holding = holdings.get(name);
    if (holding === undefined) holdings.set(name, (holding = { uid, ticks: 0, memoryBytes: 0, processes: 0 }));
    return holding;
  };
  for (const [uid, ticks] of ticksByUid) of(uid).ticks += ticks;
  for (const { uid, memoryBytes } of processes) {
    const holding = of(uid);
    holding.memoryBytes += memoryBytes;
    holding.processes += 1;
  }
  return holdings;
}

function* readingsOf(node: Resource, name: string, holding: Holding): Generator<Reading> {
  const common = {
    resource: node,
    resourceId: `${node.id}:user:${name}`,
    projectId: name,
    userId: String(holding.uid),
    metadata: { user_name: name, uid: holding.uid },
  };
  yield { ...common, meter: 'user.cpu', volume: BigInt(holding.ticks) * NS_PER_TICK };
  yield { ...common, meter: 'user.memory.usage', volume: holding.memoryBytes };
  yield { ...common, meter: 'user.processes', volume: holding.processes };
}

export default createUsers();
