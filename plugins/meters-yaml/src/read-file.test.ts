import t from 'tap';
import { metersOptions } from './options.ts';
import { readDefinitions } from './read-file.ts';

const GOOD = {
  name: 'volume.size',
  event_type: "'volume\\.create'",
  type: 'gauge',
  unit: 'GiB',
  volume: '$.payload.size',
  resource_id: '$.payload.volume_id',
};

function file(changes: Record<string, string | null>): string {
  const lines = Object.entries({ ...GOOD, ...changes }).flatMap(([key, value]) =>
    value === null ? [] : `${key}: ${value}`,
  );
  return `metric:\n  - ${lines.join('\n    ')}\n`;
}

const WRONG: [name: string, text: string, message: string][] = [
  ['a missing field', file({ unit: null }), 'm.yaml:2: definition volume.size: unit is missing'],
  [
    'an unknown field',
    file({ uint: 'GB' }),
    'm.yaml:8: definition volume.size: uint is not known; known are name, event_type, type, unit, volume, resource_id, ' +
      'user_id, project_id, timestamp, metadata, user_metadata, lookup',
  ],
  [
    'an unknown type',
    file({ type: 'level' }),
    'm.yaml:4: definition volume.size: type is level; it must be gauge, delta, cumulative, or stand in lookup',
  ],
  [
    'a broken path',
    file({ volume: '$.payload.[size' }),
    'm.yaml:6: definition volume.size: volume found "[size" at character 11 of $.payload.[size; $ or a name would be right there',
  ],
  [
    'an unknown function',
    file({ volume: '$.payload.size.`round`' }),
    'm.yaml:6: definition volume.size: volume found "`round`" at character 16 of $.payload.size.`round`; ' +
      '`split(separator, index, max)`, `sub(/expression/, replacement)`, `len` or `this` would be right there',
  ],
  [
    'a broken event type',
    file({ event_type: "'volume.('" }),
    'm.yaml:3: definition volume.size: event_type is no regular expression: Invalid regular expression: /^(?:volume.()/s: Unterminated group',
  ],
  [
    'an unknown plugin',
    file({ volume: '{fields: [$.a, $.b], plugin: bitfield}' }),
    'm.yaml:6: definition volume.size: volume.plugin is bitfield; only timedelta is known here',
  ],
  [
    'an unknown lookup',
    file({ lookup: '[volumes]' }),
    'm.yaml:8: definition volume.size: lookup names volumes; possible are name, type, unit, volume, resource_id, user_id, ' +
      'project_id, timestamp, metadata',
  ],
  ['no list', 'metric: none\n', 'm.yaml:1: metric must be a list of definitions'],
  ['no map', '- a\n', 'm.yaml:1: must be a map with the key metric'],
  [
    'broken YAML',
    'metric:\n  - name: [a\n',
    'm.yaml:3: Flow sequence in block collection must be sufficiently indented and end with a ]',
  ],
];

for (const [name, text, message] of WRONG) {
  t.test(`${name} is named with file, line, definition and remedy`, (t) => {
    t.throws(() => readDefinitions(text, 'm.yaml'), { name: 'DefinitionError', message });
    t.end();
  });
}

t.test('wrong options name their key', async (t) => {
  const of = async (options: unknown) => (await metersOptions['~standard'].validate(options)).issues;
  t.match(await of({ definition: [] }), [{ path: ['definition'], message: /known are definitions, packaged/ }]);
  t.match(await of({ definitions: 'a' }), [{ path: ['definitions'], message: 'must be a list of texts' }]);
  t.match(await of({ definitions: ['/nowhere'] }), [{ path: ['definitions'], message: /^\/nowhere: cannot be read/ }]);
  t.match(await of({ packaged: 'no' }), [{ path: ['packaged'] }]);
  t.match(await of({ reserved_metadata_length: 0 }), [{ path: ['reserved_metadata_length'] }]);
});
