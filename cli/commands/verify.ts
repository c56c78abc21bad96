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
import type { Keyring } from '@nephometer/core';
import type { Command } from 'commander';
import { ApiError } from '../client.ts';
import { print, repeated } from '../command.ts';
import { reportText } from '../verify-text.ts';

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
    const isFolder = (await handle.stat()).isDirectory();
    await handle.close();
    if (isFolder) throw new Error('it is a folder');
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
