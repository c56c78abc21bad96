import { messageOf } from '../../errors.ts';
import { StatementPublicKey } from '../../signing/statement-key.ts';
import { sha256 } from '../identity.ts';
import { definitionHash } from '../usage/definition.ts';
import { USAGE_RULES } from '../usage/rules.ts';
import { skipped, Tally, verdict } from './report.ts';
import type { VerifyCheck, VerifyLine } from './report.ts';
import { statementId, statementText } from './statement.ts';
import type { FrozenLine, Statement } from './statement.ts';

/** Whether it says what its digest, its id and its definitions' hashes are of. */
export function statementCheck(statement: Statement): VerifyCheck {
  const tally = new Tally();
  const digest = sha256(statementText(statement));
  if (digest !== statement.digest) tally.fail(`its content has the digest ${digest}, it says ${statement.digest}`);
  const { project_id: project, from, to, statement_id: id } = statement;
  if (statementId(project, from, to) !== id) tally.fail(`its id is not that of its project and period`);
  for (const { definition, hash } of statement.usage) {
    if (definitionHash(definition) !== hash)
      tally.fail(`the definition ${definition.name} does not have the hash ${hash}`);
  }
  return verdict('statement', tally, `digest ${digest}`);
}

export function signatureCheck(statement: Statement): VerifyCheck {
  const tally = new Tally();
  const { key_id: named, public_key: given } = statement.signature;
  try {
    const key = StatementPublicKey.fromBase64(given);
    if (key.keyId !== named) tally.fail(`the key in the file is ${key.keyId}, the signature names ${named}`);
    if (!key.verify(statement)) tally.fail(`the signature is not that of key ${key.keyId}`);
  } catch (cause) {
    tally.fail(messageOf(cause));
  }
  return verdict('signature', tally, `Ed25519 key ${named}`);
}

export function issuerCheck(statement: Statement, known: StatementPublicKey | null): VerifyCheck {
  if (known === null) return skipped('issuer', 'the key in the file was compared with none: give --public-key');
  const tally = new Tally();
  if (!known.verify(statement)) {
    tally.fail(`the signature is not that of the key given, ${known.keyId}; it names ${statement.signature.key_id}`);
  }
  return verdict('issuer', tally, `key ${known.keyId}`);
}

/** @param rules that the statement was closed by */
export function linesCheck(lines: readonly VerifyLine[], rules: Statement['rules']): VerifyCheck {
  const tally = new Tally();
  if (rules !== USAGE_RULES && lines.some(({ ok }) => !ok)) tally.fail(otherRules(rules));
  for (const { definition, frozen, recomputed, ok } of lines) {
    if (ok) continue;
    const line = frozen ?? recomputed;
    const period = line === null ? '' : `${line.from} to ${line.to}, ${JSON.stringify(line.group)}`;
    const said = frozen === null ? 'has no such line' : `says ${frozen.quantity}`;
    const gives = recomputed === null ? 'give no such line' : `give ${recomputed.quantity}`;
    tally.fail(`${definition}, ${period}: the statement ${said}, its samples ${gives}${elsewhere(frozen, recomputed)}`);
  }
  return verdict('lines', tally, `${lines.filter(({ ok }) => ok).length} of ${lines.length} recomputed to the byte`);
}

function otherRules(rules: Statement['rules']): string {
  const theirs = rules === undefined ? 'an edition before 1' : `edition ${rules}`;
  return (
    `the statement follows ${theirs} of the rules of usage, and this version of nephometer edition ${USAGE_RULES}: ` +
    'only a version with that edition can compute its figures'
  );
}

/** Where two lines with one quantity differ. */
function elsewhere(frozen: FrozenLine | null, recomputed: FrozenLine | null): string {
  if (frozen === null || recomputed === null || frozen.quantity !== recomputed.quantity) return '';
  const names = (Object.keys(frozen) as (keyof FrozenLine)[]).filter(
    (name) => JSON.stringify(frozen[name]) !== JSON.stringify(recomputed[name]),
  );
  return ` (${names.join(', ')} differ)`;
}
