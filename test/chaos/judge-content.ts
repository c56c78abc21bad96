import { compare, parseVolume, readMessage, verifyMerkleProof, verifyMessage } from '@nephometer/core';
import { keyOf } from './issued.ts';
import { lostOf } from './losses.ts';
import type { Evidence, Expectation, Finding, ProvenSample } from './judge-types.ts';
import { issuedAt } from './store-view.ts';
import type { LedgerBatch, SampleAnswer } from './store-view.ts';
import { METERS, valueOf } from './values.ts';
import type { ChaosMeter } from './values.ts';

/** A: spooled batches are in the ledger, each once, whole, in an unbroken chain; no reading is in the store twice. */
export function judgeOnce(evidence: Evidence, expected: Expectation): Finding {
  const { ledger, samples, tapped, agents } = evidence;
  const problems: string[] = [];
  const digests = new Map<string, number>();
  for (const { digest } of ledger) digests.set(digest, (digests.get(digest) ?? 0) + 1);
  for (const [digest, times] of digests)
    if (times > 1) problems.push(`batch ${short(digest)} has ${times} ledger rows`);
  const refused = expected.refusedBatches ?? new Set<string>();
  const spooled = new Set([...tapped.keys(), ...agents.flatMap(({ leftovers }) => [...leftovers.keys()])]);
  const excused = (digest: string): boolean => refused.has(digest) || expected.mayMiss?.has(digest) === true;
  const missing = [...spooled].filter((digest) => !digests.has(digest) && !excused(digest));
  if (missing.length > 0) problems.push(`${missing.length} spooled batches are not in the ledger: ${list(missing)}`);
  problems.push(...repeated(samples), ...incomplete(ledger, samples, evidence), ...chainProblems(ledger, expected));
  problems.push(...agents.flatMap((agent) => lostOf(agent, evidence, expected).problems));
  return {
    letter: 'A',
    problems,
    seen: `${spooled.size} batches seen spooled, ${ledger.length} in the ledger, ${samples.length} samples`,
  };
}

function repeated(samples: readonly SampleAnswer[]): string[] {
  const ids = new Set<string>();
  const keys = new Set<string>();
  const twice: string[] = [];
  for (const sample of samples) {
    const key = `${sample.agent_id} ${keyOf(sample)}`;
    if (ids.has(sample.message_id)) twice.push(`id ${sample.message_id}`);
    else if (keys.has(key)) twice.push(`reading ${key}`);
    ids.add(sample.message_id);
    keys.add(key);
  }
  return twice.length === 0 ? [] : [`${twice.length} samples are in the store twice: ${list(twice)}`];
}

/** A ledger row stands for all samples of its batch. */
function incomplete(ledger: readonly LedgerBatch[], samples: readonly SampleAnswer[], evidence: Evidence): string[] {
  const counts = new Map<string, number>();
  for (const { agent_id, epoch, seq } of samples) {
    const key = `${agent_id} ${epoch} ${seq}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const inConflict = new Map<string, number>();
  for (const { agent_id, epoch, seq } of evidence.conflicts.flatMap(({ versions }) => versions)) {
    const key = `${agent_id} ${epoch} ${seq}`;
    inConflict.set(key, (inConflict.get(key) ?? 0) + 1);
  }
  const wrong = ledger.filter(({ agent_id, epoch, seq, header, duplicates }) => {
    if (header === null) return false;
    const key = `${agent_id} ${epoch} ${seq}`;
    return (counts.get(key) ?? 0) + (inConflict.get(key) ?? 0) + duplicates !== header.samples;
  });
  return wrong.length === 0
    ? []
    : [
        `${wrong.length} batches show other samples than their header counts: ${list(wrong.map(({ digest }) => digest))}`,
      ];
}

/** Within an epoch the numbers are 1, 2, 3, ... and each header names the one before. */
function chainProblems(ledger: readonly LedgerBatch[], expected: Expectation): string[] {
  const problems: string[] = [];
  let missing = 0;
  for (const rows of byEpoch(ledger).values()) {
    const sorted = rows.toSorted((a, b) => (a.seq ?? 0) - (b.seq ?? 0));
    sorted.forEach((row, index) => {
      const before = sorted[index - 1];
      const gap = (row.seq ?? 0) - (before?.seq ?? 0) - 1;
      missing += Math.max(0, gap);
      if (gap === 0 && row.header?.previous !== (before?.digest ?? null)) {
        problems.push(`batch ${row.seq} of epoch ${row.epoch} is not chained to the one before`);
      }
    });
  }
  const destroyed = (expected.mayMiss?.size ?? 0) + (expected.refusedBatches?.size ?? 0);
  if (missing > destroyed) problems.push(`${missing} sequence numbers are missing, ${destroyed} may be`);
  return problems;
}

export function byEpoch(ledger: readonly LedgerBatch[]): Map<string, LedgerBatch[]> {
  const epochs = new Map<string, LedgerBatch[]>();
  for (const row of ledger) {
    if (row.header === null) continue;
    const key = `${row.agent_id} ${row.epoch}`;
    epochs.set(key, [...(epochs.get(key) ?? []), row]);
  }
  return epochs;
}

/** B: each sample was issued, by the agent that it names. */
export function judgeOrigin({ agents, samples, ledger }: Evidence): Finding {
  const issued = new Map(
    agents.map(({ id, issued }) => [id, new Set(issued.map((line) => line.issue + line.resource + line.meter))]),
  );
  const foreign = samples.filter((sample) => {
    const { agent_id: agent, resource_metadata: metadata, resource_id: resource, counter_name: meter } = sample;
    return issued.get(agent ?? '')?.has(`${String(metadata['issue'])}${resource}${meter}`) !== true;
  });
  const strangers = ledger.filter(({ agent_id: agent }) => !issued.has(agent ?? ''));
  const problems: string[] = [];
  if (foreign.length > 0) {
    problems.push(`${foreign.length} samples were never issued: ${list(foreign.map(({ message_id }) => message_id))}`);
  }
  if (strangers.length > 0) problems.push(`${strangers.length} ledger rows are of nobody's agent`);
  const total = agents.reduce((count, agent) => count + agent.issued.length, 0);
  return { letter: 'B', problems, seen: `${total} readings issued` };
}

/** C: the value is what the function gives; the signed text is that of the agent, to the byte, under the batch's root. */
export function judgeBytes({ samples, proven, tapped, secrets }: Evidence): Finding {
  const wrong = samples.filter((sample) => !isTrue(sample)).map(({ message_id }) => message_id);
  const problems = wrong.length === 0 ? [] : [`${wrong.length} samples have another value than issued: ${list(wrong)}`];
  const texts = textsOf(tapped);
  for (const one of proven) problems.push(...proofProblems(one, secrets, texts));
  return { letter: 'C', problems, seen: `${samples.length} values, ${proven.length} texts and proofs` };
}

function isTrue(sample: SampleAnswer): boolean {
  const meter = METERS[sample.counter_name as ChaosMeter];
  if (meter === undefined) return false;
  const value = valueOf(sample.counter_name as ChaosMeter, sample.resource_id, issuedAt(sample));
  const isEqual = compare(parseVolume(sample.counter_volume), parseVolume(value)) === 0;
  return isEqual && sample.counter_type === meter.type && sample.counter_unit === meter.unit;
}

function textsOf(tapped: Evidence['tapped']): Map<string, readonly string[]> {
  return new Map([...tapped].map(([digest, { envelope }]) => [digest, envelope.texts]));
}

function proofProblems(
  { sample, evidence }: ProvenSample,
  secrets: Evidence['secrets'],
  texts: Map<string, readonly string[]>,
): string[] {
  const text = String(evidence['text']);
  const batch = evidence['batch'] as Record<string, unknown>;
  const problems: string[] = [];
  const { fields, sample: read } = readMessage(text);
  if (![...secrets].some((secret) => verifyMessage(fields, secret) !== null)) problems.push('the text does not verify');
  const value = valueOf(sample.counter_name as ChaosMeter, sample.resource_id, issuedAt(sample));
  if (read.volume.literal !== value) problems.push(`the text's literal is ${read.volume.literal}, issued was ${value}`);
  const published = texts.get(String(batch['digest']))?.[Number(batch['index'])];
  if (published !== undefined && published !== text) problems.push('the text is not the one that was published');
  const { index, samples, proof, merkle_root: root } = batch;
  if (!verifyMerkleProof(text, Number(index), Number(samples), (proof ?? []) as string[], String(root))) {
    problems.push('the proof does not lead to the root');
  }
  return problems.map((problem) => `sample ${sample.message_id}: ${problem}`);
}

export function short(digest: string): string {
  return digest.slice(0, 12);
}

/** The first few of many. */
export function list(items: readonly string[]): string {
  const shown = items.slice(0, 4).map((item) => (/^[0-9a-f]{64}$/.test(item) ? short(item) : item));
  return shown.join(', ') + (items.length > 4 ? ', ...' : '');
}
