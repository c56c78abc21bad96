import { DEFAULT_DEFINITIONS } from '@nephometer/core';
import t from 'tap';
import { focusUnit } from './focus-unit.ts';

void t.test('units are written as FOCUS 1.2 writes them', (t) => {
  const written = {
    h: 'Hours',
    GiB: 'GiB',
    B: 'B',
    'B/s': 'B/Second',
    'GiB.h': 'GiB-Hours',
    'instance.h': 'Instance-Hours',
    'vcpu.h': 'vCPU-Hours',
    'ip.h': 'IP Address-Hours',
    vcpu: 'vCPUs',
    request: 'Requests',
    sample: 'Samples',
    '%': 'Percent',
    kB: 'KB',
    ns: 'Nanoseconds',
  };
  for (const [unit, focus] of Object.entries(written)) t.equal(focusUnit(unit), focus, unit);
  t.equal(focusUnit(null), 'Units');
  for (const { unit } of DEFAULT_DEFINITIONS) t.match(focusUnit(unit), /^(vCPU|[A-Z])/, `${unit} is capitalised`);
  t.end();
});
