import type { VerifyCheck, VerifyLine, VerifyReport, VerifyResolution } from '@nephometer/core';
import { formatRows, printable } from './format.ts';
import type { Column } from './format.ts';
import { flaggedLine, warningLines } from './warnings.ts';

const WORDS = { true: 'ok', false: 'WRONG', null: '-' } as const;

/** The report for a person: every line as stated and as recomputed, the checks, and what has to be taken on trust. */
export function reportText({ ok, statement, checks, lines, resolutions }: VerifyReport): string {
  const head =
    statement === null
      ? ''
      : `Statement ${printable(statement.statement_id)}\n` +
        `  project  ${printable(statement.project_id ?? '(nobody known)')}\n` +
        `  period   ${printable(`${statement.from} to ${statement.to} (${statement.tz})`)}\n` +
        `  as of    ${printable(statement.as_of)}\n\n`;
  const columns: Column<VerifyCheck>[] = [
    { title: 'check', value: ({ check }) => check },
    { title: '', value: (one) => WORDS[String(one.ok) as keyof typeof WORDS] },
    { title: 'found', value: ({ found }) => found },
  ];
  const faults = checks
    .flatMap(({ check, faults: found }) => found.map((fault) => `  ${check}: ${printable(fault)}\n`))
    .join('');
  const verdict = ok ? 'Everything that could be checked holds.\n' : `This does not hold:\n${faults}`;
  return `${head}${linesText(lines)}${signedWarnings(statement)}${resolutionsText(resolutions)}${formatRows(checks, columns, 'table')}\n${verdict}${unproven(checks)}${trusted(statement)}`;
}

/** What the issuer signed that no line can show, and which lines were below the coverage asked for. */
function signedWarnings(statement: VerifyReport['statement']): string {
  if (statement === null) return '';
  const text = `${warningLines(statement.warnings ?? [])}${flaggedLine(statement)}`;
  return text === '' ? '' : `${text}\n`;
}

/** Which of several contents of one message was computed with, and who decided it. */
function resolutionsText(resolutions: readonly VerifyResolution[]): string {
  const columns: Column<VerifyResolution>[] = [
    { title: 'message in conflict', value: (one) => one.message_id },
    { title: 'counts', value: ({ keep, counted }) => (keep === null ? 'none' : (counted ?? "another project's")) },
    { title: 'set aside', value: ({ set_aside: aside }) => aside.map(({ volume }) => volume).join(', ') },
    { title: 'decided', value: (one) => one.recorded_at },
    { title: 'by', value: ({ by }) => by },
    { title: 'why', value: ({ why }) => why },
  ];
  return resolutions.length === 0 ? '' : `${formatRows(resolutions, columns, 'table')}\n`;
}

/** What a reader has to take on trust, said in so many words. */
function unproven(checks: readonly VerifyCheck[]): string {
  const open = checks.filter(({ ok }) => ok === null).map(({ found }) => `  not checked: ${printable(found)}\n`);
  return open.join('');
}

/** What the issuer's signature alone stands for. */
function trusted(statement: VerifyReport['statement']): string {
  if (statement === null) return '';
  const { others, losses, voids, resolutions = 0 } = statement.evidence;
  return (
    "  on the issuer's word: when each batch was recorded, and that nothing was left out" +
    (others > 0 ? `; ${others} readings of another project on a resource that changed hands` : '') +
    `${losses > 0 ? `; ${losses} readings refused or in conflict` : ''}${voids > 0 ? `; ${voids} voids` : ''}` +
    `${resolutions > 0 ? `; of ${resolutions} messages, which version counts` : ''}\n`
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
