import { parseTimestamp } from '@nephometer/core';
import type { CycleReport, Micros } from '@nephometer/core';
import { byEpoch } from './judge-content.ts';
import type { AgentEvidence, Evidence, Expectation, Finding } from './judge-types.ts';

/**
 * D: within each epoch every slot from the first to the last has a report; where a report says that readings were taken,
 * they are in the store, or dropped, refused or set aside with a record. An epoch ends with its process; one that ended
 * by itself has a report up to its end.
 */
export function judgeSlots(evidence: Evidence, expected: Expectation): Finding {
  const problems: string[] = [];
  const seen = { slots: 0, gaps: new Map<string, number>() };
  const inConflict = conflictSlots(evidence);
  const stored = countsBySlot(evidence);
  for (const agent of evidence.agents) {
    const dropped = droppedRanges(agent, evidence, expected);
    const isTold = (slot: Micros): boolean => dropped.some(({ from, to }) => slot >= from && slot <= to);
    const ends: Micros[] = [];
    for (const [key, rows] of byEpoch(evidence.ledger.filter(({ agent_id }) => agent_id === agent.id))) {
      const reports = new Map<Micros, CycleReport>();
      for (const report of rows.flatMap(({ header }) => header?.cycles ?? [])) reports.set(report.scheduled, report);
      const slots = [...reports.keys()].sort((a, b) => a - b);
      ends.push(slots.at(-1) ?? 0);
      seen.slots += slots.length;
      if (expected.clockSet !== true) problems.push(...holes(slots, agent, isTold));
      for (const [slot, report] of reports) {
        const why = inConflict.has(`${key} ${slot}`) ? 'conflict' : gapReason(report);
        const count = stored.get(`${key} ${slot}`) ?? 0;
        const readings = report.pollsters.reduce((sum, one) => sum + one.readings, 0);
        if (why === null && count === readings) continue;
        const reason = why ?? (isTold(slot) ? 'dropped' : null);
        if (reason !== null) seen.gaps.set(reason, (seen.gaps.get(reason) ?? 0) + 1);
        else problems.push(`agent ${agent.id}, slot ${time(slot)}: of ${readings} readings ${count} are in the store`);
      }
    }
    problems.push(...endProblems(agent, ends, expected));
  }
  return {
    letter: 'D',
    problems: problems.length > 6 ? [...problems.slice(0, 6), `... ${problems.length} in all`] : problems,
    seen: `${seen.slots} slots, of them gaps with a record: ${gapText(seen.gaps)}`,
  };
}

/** Why a slot is a gap, as its own report says it; null where it says that all went well. */
function gapReason({ outcome, pollsters }: CycleReport): string | null {
  if (outcome === 'skipped') return 'skipped';
  for (const { error, failed } of pollsters) {
    if (error !== null && error !== '') return error;
    if (failed.length > 0) return 'failed';
  }
  return null;
}

function conflictSlots({ conflicts }: Evidence): Set<string> {
  const versions = conflicts.flatMap((one) => one.versions);
  return new Set(versions.map(({ agent_id, epoch, slot }) => `${agent_id} ${epoch} ${parseTimestamp(slot ?? '')}`));
}

function holes(slots: readonly Micros[], agent: AgentEvidence, isTold: (slot: Micros) => boolean): string[] {
  const missing: Micros[] = [];
  slots.forEach((slot, index) => {
    const next = slots[index + 1] ?? slot;
    for (let at = slot + agent.interval; at < next; at += agent.interval) if (!isTold(at)) missing.push(at);
  });
  return missing.length === 0
    ? []
    : [`agent ${agent.id}: ${missing.length} slots have neither sample nor record, from ${time(missing[0] ?? 0)}`];
}

/** A life that ended by itself has reports up to its end. */
function endProblems({ id, lives, interval }: AgentEvidence, ends: readonly Micros[], expected: Expectation): string[] {
  if (expected.clockSet === true) return [];
  return lives.flatMap(({ started, ended, how }) => {
    if (how !== 'drained' || ended === null) return [];
    const last = Math.max(0, ...ends.filter((end) => end <= ended * 1000));
    // Starting and draining take a while; polls go on until SIGTERM, the process ends later.
    const late = Math.max(interval * 3, 15e6);
    return last >= ended * 1000 - late || last >= started * 1000 + late
      ? []
      : [`agent ${id}: the last report is of ${time(last)}, the process ended at ${time(ended * 1000)}`];
  });
}

/** Samples in the store, or set aside, by agent, epoch and slot. */
function countsBySlot({ samples, conflicts }: Evidence): Map<string, number> {
  const counts = new Map<string, number>();
  for (const { agent_id, epoch, slot } of [...samples, ...conflicts.flatMap(({ versions }) => versions)]) {
    if (slot === null) continue;
    const key = `${agent_id} ${epoch} ${parseTimestamp(slot)}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  return counts;
}

/** Spans of slots that some record says are incomplete. */
function droppedRanges(
  { id }: AgentEvidence,
  { ledger, quarantine }: Evidence,
  { refusedBatches }: Expectation,
): { from: Micros; to: Micros }[] {
  const dropped = ledger
    .filter(({ agent_id }) => agent_id === id)
    .flatMap(({ header }) => header?.cycles ?? [])
    .flatMap(({ dropped }) => dropped)
    .map(({ from, to }) => ({ from: from ?? 0, to: to ?? Number.MAX_SAFE_INTEGER }));
  const refused = quarantine
    .filter(({ agent_id, from }) => agent_id === id && from !== null)
    .map(({ from, to }) => ({ from: parseTimestamp(from ?? ''), to: parseTimestamp(to ?? from ?? '') }));
  return refusedBatches === undefined ? dropped : [...dropped, ...refused];
}

function gapText(gaps: ReadonlyMap<string, number>): string {
  return gaps.size === 0 ? 'none' : [...gaps].map(([reason, count]) => `${count} ${reason}`).join(', ');
}

function time(at: Micros): string {
  return new Date(at / 1000).toISOString().slice(11, 23);
}
