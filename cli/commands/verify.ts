import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import {
  AgentKeyring,
  EXIT_CODES,
  keysOfFile,
  messageOf,
  readKeyFile,
  readMasterKey,
  readSecret,
  StatementPublicKey,
  verifyEvidence,
} from '@nephometer/core';
import type { Keyring, VerifyCheck, VerifyLine, VerifyReport } from '@nephometer/core';
import type { Command } from 'commander';
import { ApiError } from '../client.ts';
import { print, repeated } from '../command.ts';
import { formatRows } from '../format.ts';
import type { Column } from '../format.ts';

interface VerifyFlags {
  readonly publicKey?: string;
  readonly keys?: readonly string[];
  readonly masterKeyFile?: string;
  readonly secretFile?: string;
  readonly json?: boolean;
}

/** `verify FILE`: needs no server and no configuration. Exits 1 when anything does not hold. */
export function addVerify(program: Command): void {
  program
    .command('verify')
    .description('check a statement and its evidence, away from the server that made them')
    .argument('<file>', 'evidence file, as `statement evidence` writes it; - for standard input')
    .option('--public-key <file>', "the issuer's public key (PEM, or base64), as known from elsewhere")
    .option('--keys <file>', 'key file of an agent, to check what it signed; repeatable', repeated)
    .option('--master-key-file <file>', 'master key of the agents, likewise')
    .option('--secret-file <file>', 'shared secret of the agents, likewise')
    .option('--json', 'the whole report as JSON')
    .action(async (file: string, flags: VerifyFlags) => {
      const publicKey = flags.publicKey === undefined ? null : await StatementPublicKey.read(flags.publicKey);
      const report = await verifyEvidence(linesOf(file), { publicKey, keys: await keysOf(flags) });
      print(flags.json === true ? `${JSON.stringify(report, null, 1)}\n` : reportText(report));
      if (!report.ok) process.exitCode = EXIT_CODES.failed.code;
    });
}

async function* linesOf(file: string): AsyncGenerator<string> {
  if (file !== '-') await assertReadable(file);
  const input = file === '-' ? process.stdin : createReadStream(file, 'utf8');
  yield* createInterface({ input, crlfDelay: Infinity });
}

async function assertReadable(file: string): Promise<void> {
  try {
    const handle = await open(file);
    await handle.close();
  } catch (cause) {
    throw new ApiError(`Cannot read ${file}: ${messageOf(cause)}`, EXIT_CODES.data.code);
  }
}

async function keysOf({ keys = [], masterKeyFile, secretFile }: VerifyFlags): Promise<Keyring | null> {
  if (keys.length === 0 && masterKeyFile === undefined && secretFile === undefined) return null;
  return new AgentKeyring({
    shared: secretFile === undefined ? null : await readSecret(secretFile),
    master: masterKeyFile === undefined ? null : await readMasterKey(masterKeyFile),
    listed: (await Promise.all(keys.map(readKeyFile))).flatMap(keysOfFile),
    own: [],
    generation: 1,
    acceptShared: true,
  });
}

const WORDS = { true: 'ok', false: 'WRONG', null: '-' } as const;

function reportText({ ok, statement, checks, lines }: VerifyReport): string {
  const head =
    statement === null
      ? ''
      : `Statement ${statement.statement_id}\n` +
        `  project  ${statement.project_id ?? '(nobody known)'}\n` +
        `  period   ${statement.from} to ${statement.to} (${statement.tz})\n` +
        `  as of    ${statement.as_of}\n\n`;
  const columns: Column<VerifyCheck>[] = [
    { title: 'check', value: ({ check }) => check },
    { title: '', value: (one) => WORDS[String(one.ok) as keyof typeof WORDS] },
    { title: 'found', value: ({ found }) => found },
  ];
  const faults = checks.flatMap(({ check, faults: found }) => found.map((fault) => `  ${check}: ${fault}\n`)).join('');
  const verdict = ok ? 'Everything that could be checked holds.\n' : `This does not hold:\n${faults}`;
  return `${head}${linesText(lines)}${formatRows(checks, columns, 'table')}\n${verdict}${unproven(checks)}${trusted(statement)}`;
}

/** What a reader has to take on trust, said in so many words. */
function unproven(checks: readonly VerifyCheck[]): string {
  const open = checks.filter(({ ok }) => ok === null).map(({ found }) => `  not checked: ${found}\n`);
  return open.join('');
}

/** What the issuer's signature alone stands for. */
function trusted(statement: VerifyReport['statement']): string {
  if (statement === null) return '';
  const { others, losses, voids } = statement.evidence;
  return (
    "  on the issuer's word: when each batch was recorded, and that nothing was left out" +
    `${others > 0 ? `; ${others} readings of another project on a resource that changed hands` : ''}` +
    `${losses > 0 ? `; ${losses} readings refused or in conflict` : ''}${voids > 0 ? `; ${voids} voids` : ''}\n`
  );
}

function linesText(lines: readonly VerifyLine[]): string {
  const columns: Column<VerifyLine>[] = [
    { title: 'quantity of', value: ({ definition }) => definition },
    { title: 'from', value: ({ frozen, recomputed }) => (frozen ?? recomputed)?.from },
    { title: 'to', value: ({ frozen, recomputed }) => (frozen ?? recomputed)?.to },
    { title: 'group', value: ({ frozen, recomputed }) => groupText((frozen ?? recomputed)?.group ?? {}) },
    { title: 'stated', value: ({ frozen }) => frozen?.quantity ?? '(no line)', align: 'right' },
    { title: 'recomputed', value: ({ recomputed }) => recomputed?.quantity ?? '(no line)', align: 'right' },
    { title: 'unit', value: ({ frozen, recomputed }) => (frozen ?? recomputed)?.unit },
    { title: 'coverage', value: ({ frozen, recomputed }) => (frozen ?? recomputed)?.coverage, align: 'right' },
    { title: '', value: ({ ok }) => (ok ? 'same' : 'DIFFERS') },
  ];
  return lines.length === 0 ? '' : `${formatRows(lines, columns, 'table')}\n`;
}

function groupText(group: Readonly<Record<string, string | null>>): string {
  return Object.entries(group)
    .map(([field, value]) => `${field}=${value ?? '?'}`)
    .join(' ');
}
