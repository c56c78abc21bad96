import t from 'tap';
import { USAGE_RULES } from '../usage/rules.ts';
import { linesCheck } from './statement-checks.ts';
import type { VerifyLine } from './report.ts';

const GOOD: VerifyLine = { definition: 'instance_hours', frozen: null, recomputed: null, ok: true };

t.test('where lines differ, other rules are told first; where none does they do not matter', async (t) => {
  for (const rules of [USAGE_RULES, USAGE_RULES + 1, undefined]) t.equal(linesCheck([GOOD], rules).ok, true);
  const told = new RegExp(`follows edition ${USAGE_RULES + 1} .* this version .* edition ${USAGE_RULES}`);
  const bad = { ...GOOD, ok: false };
  t.match(linesCheck([GOOD, bad], USAGE_RULES), { ok: false, faults: [/^instance_hours/] });
  t.match(linesCheck([bad], USAGE_RULES + 1), {
    ok: false,
    faults: [told, /./],
  });
  t.match(linesCheck([bad], undefined), { ok: false, faults: [/an edition before 1/, /./] });
});
