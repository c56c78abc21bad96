import { z } from 'zod';
import { messageOf } from '../../errors.ts';
import { parseJson, toPlain } from '../../json.ts';
import { wordsOf } from '../../schema-words.ts';
import { headerDigest, verifyHeader } from '../../signing/batch.ts';
import { verifyMessage } from '../../signing/ceilometer.ts';
import type { Keyring } from '../../signing/keyring.ts';
import { verifyMerkleProof } from '../../signing/merkle.ts';
import type { StatementPublicKey } from '../../signing/statement-key.ts';
import { parseTimestamp } from '../../time.ts';
import { SignedHeader } from '../batch.ts';
import { sha256 } from '../identity.ts';
import { readMessage } from '../message.ts';
import { EvidenceDigest, EvidenceRecord } from './evidence.ts';
import { EvidenceFacts } from './facts.ts';
import { skipped, Tally, verdict } from './report.ts';
import type { VerifyCheck, VerifyLine, VerifyReport } from './report.ts';
import { ResolutionChecks } from './resolutions.ts';
import { issuerCheck, linesCheck, signatureCheck, statementCheck } from './statement-checks.ts';
import { Statement, statementLines } from './statement.ts';
import type { FrozenLine } from './statement.ts';

export interface VerifyOptions {
  /** The key that statements of this issuer are signed with, as the reader knows it from elsewhere; null: not known. */
  readonly publicKey: StatementPublicKey | null;
  /** Keys that agents sign with; null: HMACs are not looked at. */
  readonly keys: Keyring | null;
}

/**
 * Reads an evidence file (a line of JSON each: the statement, then its records) and checks everything that can be checked
 * without the server that made it. Never throws for what the file says.
 * @param lines in order, without line feeds
 */
export async function verifyEvidence(
  lines: AsyncIterable<string> | Iterable<string>,
  options: VerifyOptions,
): Promise<VerifyReport> {
  const verifier = new Verifier(options);
  for await (const line of lines) verifier.line(line);
  return verifier.report();
}

const BYTE_ORDER_MARK = '\uFEFF';

class Verifier {
  readonly #options: VerifyOptions;
  readonly #digest = new EvidenceDigest();
  readonly #facts = new EvidenceFacts();
  readonly #tallies = {
    file: new Tally(),
    batches: new Tally(),
    samples: new Tally(),
    agents: new Tally(),
  };
  readonly #batches = new Map<string, SignedHeader>();
  readonly #resolutions = new ResolutionChecks();
  #statement: Statement | null = null;
  #isBegun = false;
  #lines = 0;
  #proven = 0;
  #withoutPath = 0;
  #headerless = 0;
  #samples = 0;
  #checked = 0;
  #unchecked = 0;

  constructor(options: VerifyOptions) {
    this.#options = options;
  }

  line(text: string): void {
    this.#lines += 1;
    if (text === '' || text === BYTE_ORDER_MARK) return;
    if (!this.#isBegun) this.#begin(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);
    // Of a file that is something else, one line is enough to say so.
    else if (this.#statement !== null) this.#read(() => this.#record(EvidenceRecord.parse(JSON.parse(text))), '');
  }

  #begin(text: string): void {
    this.#isBegun = true;
    const hint = '; the first line has to be the statement, as `nephometer statement evidence` writes it';
    this.#read(() => (this.#statement = Statement.parse(JSON.parse(text))), hint);
  }

  #read(read: () => void, hint: string): void {
    try {
      read();
    } catch (cause) {
      const why = cause instanceof z.ZodError ? wordsOf(cause) : messageOf(cause);
      this.#tallies.file.fail(`line ${this.#lines}: ${why}${hint}`);
    }
  }

  #record(record: EvidenceRecord): void {
    this.#digest.add(record);
    if (record.kind === 'batch') this.#batch(record.digest, record.header);
    this.#facts.add(record);
    if (record.kind === 'sample' || record.kind === 'version') this.#sample(record);
    else if (record.kind === 'resolution') this.#resolutions.resolution(record);
  }

  #batch(digest: string, text: string): void {
    const read = SignedHeader.safeParse(toPlain(parseJson(text)));
    const fail = (why: string): void => this.#tallies.batches.fail(`batch ${digest}: ${why}`);
    if (!read.success) return fail('its header cannot be read');
    const header = read.data;
    if (headerDigest(header) !== digest) return fail(`its header has the digest ${headerDigest(header)}`);
    this.#batches.set(digest, header);
    const key = this.#options.keys?.find(header.key_id, header.agent_id) ?? null;
    if (key === null) this.#unchecked += 1;
    else if (verifyHeader(header, key.secret)) this.#checked += 1;
    else this.#tallies.agents.fail(`batch ${digest}: not signed with key ${header.key_id} of agent ${header.agent_id}`);
  }

  #sample(record: Extract<EvidenceRecord, { kind: 'sample' | 'version' }>): void {
    const { batch, index, text, path, recorded_at } = record;
    this.#samples += 1;
    const { sample, fields } = readMessage(text);
    if (record.kind === 'sample') this.#resolutions.sample(record, sample);
    else this.#resolutions.version(record, sample);
    const fail = (why: string): void => this.#tallies.samples.fail(`sample ${sample.messageId}: ${why}`);
    if (this.#statement !== null && sample.projectId !== this.#statement.project_id) {
      fail(`is of project ${JSON.stringify(sample.projectId)}, not of the statement's`);
    }
    if (parseTimestamp(recorded_at) > parseTimestamp(this.#statement?.as_of ?? recorded_at)) {
      fail(`was recorded at ${recorded_at}, after the moment that the statement is as of`);
    }
    const header = this.#batches.get(batch) ?? null;
    if (header === null) {
      if (sha256(text) !== batch) return fail(`its batch ${batch} is not carried, and is not the digest of its text`);
      this.#headerless += 1;
      this.#ownSignature(sample.messageId, fields);
    } else if (path == null) this.#withoutPath += 1;
    else if (verifyMerkleProof(text, index, header.samples, path, header.merkle_root)) this.#proven += 1;
    else fail(`its path does not lead to the root of batch ${batch}`);
  }

  /** A message without a header has only Ceilometer's signature. */
  #ownSignature(messageId: string, fields: ReturnType<typeof readMessage>['fields']): void {
    const shared = this.#options.keys?.sharedKeys() ?? [];
    if (shared.length === 0) this.#unchecked += 1;
    else if (shared.some(({ secret }) => verifyMessage(fields, secret) !== null)) this.#checked += 1;
    else this.#tallies.agents.fail(`sample ${messageId}: not signed with the shared secret`);
  }

  report(): VerifyReport {
    const { file } = this.#tallies;
    const statement = this.#statement;
    if (!this.#isBegun) file.fail('the file is empty');
    const read = verdict('file', file, `${this.#lines} lines`);
    if (statement === null) return { ok: false, statement, checks: [read], lines: [], resolutions: [] };
    const lines = this.#compared(statement);
    const checks = [
      read,
      statementCheck(statement),
      signatureCheck(statement),
      issuerCheck(statement, this.#options.publicKey),
      this.#evidenceCheck(statement),
      this.#batchCheck(),
      this.#sampleCheck(),
      this.#resolutions.check(),
      this.#agentCheck(),
      linesCheck(lines, statement.rules),
    ];
    return {
      ok: checks.every(({ ok }) => ok !== false),
      statement,
      checks,
      lines,
      resolutions: this.#resolutions.report(),
    };
  }

  #evidenceCheck({ evidence }: Statement): VerifyCheck {
    const tally = new Tally();
    const found = this.#digest.summary();
    if (this.#digest.isEmpty && evidence.samples > 0) {
      tally.fail('the file holds the statement alone; `nephometer statement evidence` writes it with its evidence');
    }
    for (const name of ['samples', 'batches', 'others', 'losses', 'voids', 'resolutions', 'versions'] as const) {
      const stated = evidence[name] ?? 0;
      if (found[name] !== stated) {
        tally.fail(`${name}: found ${found[name]}, the statement was made from ${stated}`);
      }
    }
    if (found.digest !== evidence.digest) {
      tally.fail(`the records have the digest ${found.digest}, the statement was made from ${evidence.digest}`);
    }
    const words = Object.entries(found).filter(([name]) => name !== 'digest');
    return verdict('evidence', tally, words.map(([name, count]) => `${count} ${name}`).join(', '));
  }

  /** Each header by its digest, and within an epoch each to the one before. */
  #batchCheck(): VerifyCheck {
    const tally = this.#tallies.batches;
    const bySeq = new Map<string, string>();
    const place = ({ agent_id, epoch }: SignedHeader, seq: number): string => JSON.stringify([agent_id, epoch, seq]);
    for (const [digest, header] of this.#batches) bySeq.set(place(header, header.seq), digest);
    let links = 0;
    for (const [digest, header] of this.#batches) {
      const before = bySeq.get(place(header, header.seq - 1));
      if (before === undefined) continue;
      links += 1;
      if (before !== header.previous) {
        tally.fail(`batch ${digest}: names ${header.previous} as the one before, and ${before} is carried`);
      }
    }
    return verdict('batches', tally, `${this.#batches.size} signed headers, ${links} linked to the one before`);
  }

  #sampleCheck(): VerifyCheck {
    const without = this.#withoutPath === 0 ? '' : `, ${this.#withoutPath} without a path (not proven)`;
    const headerless = this.#headerless === 0 ? '' : `, ${this.#headerless} without a batch header`;
    const found = `${this.#samples} samples, ${this.#proven} proven to be in their batch${without}${headerless}`;
    const check = verdict('samples', this.#tallies.samples, found);
    // A path may be left out by a server that has lost a sample beside it, or by a forger: it is told, and proves nothing.
    return this.#withoutPath > 0 && check.ok === true ? { ...check, ok: null } : check;
  }

  #agentCheck(): VerifyCheck {
    const { agents } = this.#tallies;
    const found = `${this.#checked} signatures of agents hold`;
    if (agents.count > 0) return verdict('agents', agents, found);
    if (this.#checked === 0) return skipped('agents', 'no keys were given that these agents sign with');
    return verdict('agents', agents, this.#unchecked === 0 ? found : `${found}, ${this.#unchecked} have no key here`);
  }

  #compared(statement: Statement): VerifyLine[] {
    return statement.usage.flatMap((part) => {
      const definition = part.definition.name;
      const frozen = new Map(part.lines.map((line) => [line.id, line]));
      const recomputed = new Map(this.#recomputed(statement, part).map((line) => [line.id, line]));
      return [...new Set([...frozen.keys(), ...recomputed.keys()])].map((id) => {
        const [was, is] = [frozen.get(id) ?? null, recomputed.get(id) ?? null];
        return { definition, frozen: was, recomputed: is, ok: JSON.stringify(was) === JSON.stringify(is) };
      });
    });
  }

  #recomputed(statement: Statement, part: Statement['usage'][number]): FrozenLine[] {
    try {
      return statementLines(statement, part, this.#facts.of(part.definition.meter));
    } catch (cause) {
      this.#tallies.file.fail(`${part.definition.name} cannot be computed: ${messageOf(cause)}`);
      return [];
    }
  }
}
