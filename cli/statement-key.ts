import { join } from 'node:path';
import { StatementKey } from '@nephometer/core';
import type { Config } from '@nephometer/core';
import { keepFile, makeDataDir } from './secret.ts';

/** The key that statements are signed with: the one that the configuration names, else one of this server's own. */
export async function statementKey(config: Config): Promise<StatementKey> {
  const { key_file: named } = config.statements;
  if (named !== undefined) return StatementKey.read(named);
  await makeDataDir(config);
  return StatementKey.read(
    await keepFile(join(config.data_dir, 'statement-key.pem'), () => StatementKey.make().trimEnd()),
  );
}
