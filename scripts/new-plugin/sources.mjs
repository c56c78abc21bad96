/** Source, test and first cases of a new plugin. The same code serves both languages; types are added for TypeScript. */
export function sources(plugin) {
  return { pollster, discovery, listener }[plugin.kind](plugin);
}

const OPTIONS = `/** What an operator may set below plugins.NAME. Unknown keys are refused. */
const Options = z.strictObject({
  folders: z.array(z.string()).prefault(['/tmp']).meta({ description: 'Folders to look at.' }),
});`;

function pollster({ name, language, inside }) {
  const ts = language === 'ts';
  const code = `import { readdir } from 'node:fs/promises';
import { definePollster, z } from '@nephometer/core/plugin';
${ts ? "import type { Resource } from '@nephometer/core/plugin';\n" : ''}
${OPTIONS.replace('NAME', name)}
${ts ? '\ninterface Folder extends Resource {\n  readonly path: string;\n}\n' : ''}
export default definePollster${ts ? '<z.output<typeof Options>, Folder>' : ''}({
  name: '${name}',
  contract: 1,
  options: Options,
  meters: {
    '${name}.entries': { unit: 'entry', type: 'gauge', description: 'Entries of a folder.' },
  },
  discovery: ({ host, options }) => options.folders.map((path) => ({ id: \`\${host}:\${path}\`, path })),
  async *poll(folders, { signal, report }) {
    for (const folder of folders) {
      if (signal.aborted) return;
      try {
        const entries = await readdir(folder.path);
        yield { meter: '${name}.entries', resource: folder, volume: entries.length };
      } catch (cause) {
        // This one failed; the others are measured all the same.
        report(folder, cause);
      }
    }
  },
});
`;
  const check = `test('obeys the contract', () => checkPollster(plugin, { options: { folders: ['/'] } }));`;
  const reading = {
    meter: `${name}.entries`,
    resource_id: 'node-1:${input}/three',
    type: 'gauge',
    unit: 'entry',
    volume: '3',
  };
  const expected = {
    readings: [{ ...reading, project_id: null, user_id: null, metadata: {} }],
    failed: [
      { resource_id: 'node-1:${input}/gone', reason: "ENOENT: no such file or directory, scandir '${input}/gone'" },
    ],
  };
  const cases = {
    'cases/one-folder-is-missing/config.yaml': `plugins:\n  ${name}:\n    folders:\n      - \${input}/three\n      - \${input}/gone\n`,
    'cases/one-folder-is-missing/input/three/a': 'a\n',
    'cases/one-folder-is-missing/input/three/b': 'b\n',
    'cases/one-folder-is-missing/input/three/c': 'c\n',
    'cases/one-folder-is-missing/expected.json': json(expected),
    ...wrongOption(name),
  };
  return { code, test: testFile({ name, language, inside, check, imports: ['checkPollster', 'goldenCases'] }), cases };
}

function discovery({ name, language, inside }) {
  const ts = language === 'ts';
  const code = `import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { defineDiscovery, z } from '@nephometer/core/plugin';
${ts ? "import type { Resource } from '@nephometer/core/plugin';\n" : ''}
${OPTIONS.replace('NAME', name)}
${ts ? '\ninterface Folder extends Resource {\n  readonly path: string;\n}\n' : ''}
/** Lists the folders below some folders. Pollsters name it in their \`discovery\`: \`${name}\`, or \`${name}://parameter\`. */
export default defineDiscovery${ts ? '<z.output<typeof Options>, Folder>' : ''}({
  name: '${name}',
  contract: 1,
  options: Options,
  async discover(parameter, { host, options }) {
    const folders = parameter === null ? options.folders : [parameter];
    // All resources or an error, never half: whoever is not listed is taken for gone.
    const lists = await Promise.all(folders.map((path) => readdir(path, { withFileTypes: true })));
    return lists.flatMap((entries, index) =>
      entries
        .filter((entry) => entry.isDirectory())
        .map((entry) => join(folders[index]${ts ? " ?? ''" : ''}, entry.name))
        .map((path) => ({ id: \`\${host}:\${path}\`, path })),
    );
  },
});
`;
  const check = `test('obeys the contract', () => checkDiscovery(plugin, { options: { folders: ['/'] } }));`;
  const cases = {
    'cases/two-folders/config.yaml': `plugins:\n  ${name}:\n    folders: ['\${input}']\n`,
    'cases/two-folders/input/a-file': 'a\n',
    'cases/two-folders/input/one/b': 'b\n',
    'cases/two-folders/input/two/c': 'c\n',
    'cases/two-folders/expected.json': json(
      ['one', 'two'].map((folder) => ({ id: `node-1:\${input}/${folder}`, path: `\${input}/${folder}` })),
    ),
    ...wrongOption(name),
  };
  return { code, test: testFile({ name, language, inside, check, imports: ['checkDiscovery', 'goldenCases'] }), cases };
}

function listener({ name, language, inside }) {
  const ts = language === 'ts';
  const code = `import { defineListener, z } from '@nephometer/core/plugin';

/** What an operator may set below plugins.${name}. Unknown keys are refused. */
const Options = z.strictObject({
  unit: z.string().prefault('visit').meta({ description: 'Unit of the meter.' }),
});
${ts ? '\n/** The payload of a notification, as the service sends it. */\ninterface Visit {\n  readonly door: string;\n  readonly people: number;\n}\n' : ''}
export default defineListener${ts ? '<z.output<typeof Options>>' : ''}({
  name: '${name}',
  contract: 1,
  options: Options,
  eventTypes: ['${name}.visit.*'],
  onNotification({ payload, ctxt }, { options }) {
    const { door, people } = payload${ts ? ' as unknown as Visit' : ''};
    return [
      {
        meter: '${name}.visits',
        type: 'delta',
        unit: options.unit,
        volume: people,
        resourceId: door,
        projectId: ${ts ? "typeof ctxt['project_id'] === 'string' ? ctxt['project_id'] : null" : 'ctxt.project_id ?? null'},
      },
    ];
  },
});
`;
  const check = `const visit = { event_type: '${name}.visit.end', payload: { door: 'north', people: 3 } };

test('obeys the contract', () => checkListener(plugin, { notifications: [visit] }));`;
  const notification = {
    message_id: '7f0c5a0e-1d2b-4c3d-8e9f-0a1b2c3d4e5f',
    publisher_id: `${name}.node-1`,
    event_type: `${name}.visit.end`,
    priority: 'INFO',
    timestamp: '2026-01-01 12:00:00.000000',
    _context_project_id: 'museum',
    payload: { door: 'north', people: 3 },
  };
  const sample = { meter: `${name}.visits`, resource_id: 'north', type: 'delta', unit: 'visit', volume: '3' };
  const cases = {
    'cases/a-visit/input/visit.json': json(notification),
    'cases/a-visit/expected.json': json({
      'visit.json': [{ ...sample, project_id: 'museum', user_id: null, metadata: {} }],
    }),
    ...wrongOption(name, 'visit.json', json(notification)),
  };
  return { code, test: testFile({ name, language, inside, check, imports: ['checkListener', 'goldenCases'] }), cases };
}

function wrongOption(name, file = 'none', text = 'Nothing is read.\n') {
  return {
    'cases/wrong-option/config.yaml': `plugins:\n  ${name}:\n    colour: red\n`,
    [`cases/wrong-option/input/${file}`]: text,
    'cases/wrong-option/expected.error': `Options of ${name}: (all): Unrecognized key: "colour"\n`,
  };
}

function testFile({ name, language, inside, check, imports }) {
  return `import { test } from '${inside ? 'tap' : 'node:test'}';
import { ${imports.join(', ')} } from '@nephometer/core/plugin/testing';
import plugin from './${name}.${language}';

${check}

// Each folder below cases/ is one. NEPHOMETER_UPDATE_GOLDEN=1 writes what comes out: read it before you keep it.
for (const { name, check } of await goldenCases(plugin, new URL('../cases/', import.meta.url))) {
  ${language === 'ts' && !inside ? 'void ' : ''}test(name, check);
}
`;
}

function json(value) {
  return `${JSON.stringify(value, null, 2)}\n`;
}
