import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { deriveAgentKey, derivedKeyId } from '@nephometer/core';
import { launch, temporaryFolder } from '../servers/index.ts';
import type { OwnProcess } from '../servers/index.ts';
import type { EndedLine, FleetSettings, IssuedLine, OracleLine, SpooledLine } from './settings.ts';

const MAIN = fileURLToPath(new URL('./main.js', import.meta.url));
const GRACE_MS = 90_000;

export interface FleetOptions extends Pick<
  FleetSettings,
  'bus' | 'namespace' | 'resendAfter' | 'resources' | 'intervalMs' | 'clockBehind' | 'padding' | 'fill'
> {
  /** Where spools and oracles are kept; a folder of its own by default. */
  readonly folder?: string;
  readonly agents: number;
  readonly nodeOptions?: readonly string[];
  readonly processes: number;
  /** Beginning of their ids; `fleet` by default. */
  readonly name?: string;
  /** The master key that the agents' keys are derived from. */
  readonly master: Uint8Array;
}

/** What the fleet witnessed. */
export interface Oracle {
  readonly issued: readonly IssuedLine[];
  readonly spooled: readonly SpooledLine[];
  /** Batches left in the spools of processes that ended by themselves, by agent. */
  readonly left: ReadonlyMap<string, number>;
}

/** Many agents, in a few processes. */
export class Fleet {
  readonly ids: readonly string[];
  readonly #parts: readonly { readonly process: OwnProcess; readonly oracle: string }[];

  constructor(options: FleetOptions) {
    const { folder = temporaryFolder('nephometer-fleet') } = options;
    this.ids = Array.from({ length: options.agents }, (_, index) => `${options.name ?? 'fleet'}-${index + 1}`);
    this.#parts = Array.from({ length: options.processes }, (_, part) => {
      const mine = this.ids.filter((_id, index) => index % options.processes === part);
      return startPart(join(folder, `part-${part}`), mine, options);
    });
  }

  get pids(): readonly number[] {
    return this.#parts.map(({ process }) => process.pid);
  }

  /** Whether any of its processes runs. */
  get isRunning(): boolean {
    return this.#parts.some(({ process }) => process.isRunning());
  }

  get lastOutput(): string {
    return this.#parts.map(({ process }) => process.lastOutput().slice(-500)).join('\n');
  }

  /** No more polls; resolves when the spools are empty, or that took too long. */
  async end(): Promise<void> {
    await Promise.all(this.#parts.map(({ process }) => process.end(GRACE_MS)));
  }

  async kill(): Promise<void> {
    await Promise.all(this.#parts.map(({ process }) => process.kill()));
  }

  /** What was written down so far. */
  oracle(): Oracle {
    const lines = this.#parts.flatMap(({ oracle }) => linesOf(oracle));
    return {
      issued: lines.filter((line): line is IssuedLine => line.kind === 'issued'),
      spooled: lines.filter((line): line is SpooledLine => line.kind === 'spooled'),
      left: new Map(
        lines.filter((line): line is EndedLine => line.kind === 'ended').flatMap(({ left }) => Object.entries(left)),
      ),
    };
  }
}

function startPart(folder: string, ids: readonly string[], options: FleetOptions) {
  const {
    agents: _agents,
    processes: _processes,
    name: _name,
    folder: _folder,
    nodeOptions: _options,
    master,
    ...common
  } = options;
  const oracle = join(folder, 'oracle.ndjson');
  mkdirSync(folder, { recursive: true });
  appendFileSync(oracle, '');
  const members = ids.map((id) => {
    const dataDir = join(folder, id);
    const keyFile = join(folder, `${id}.key`);
    const secret = Buffer.from(deriveAgentKey(master, id, 1)).toString('hex');
    writeFileSync(keyFile, JSON.stringify({ key_id: derivedKeyId(1), agent_id: id, secret }), { mode: 0o600 });
    return { id, dataDir, keyFile };
  });
  const file = join(folder, 'settings.json');
  writeFileSync(file, JSON.stringify({ ...common, members, oracle } satisfies FleetSettings));
  return {
    process: launch(process.execPath, [...(options.nodeOptions ?? []), MAIN, file], {
      logFile: join(folder, 'out.log'),
    }),
    oracle,
  };
}

/** The last line may still be under way. */
function linesOf(file: string): OracleLine[] {
  const text = readFileSync(file, 'utf8');
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as OracleLine);
}
