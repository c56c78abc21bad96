const OPTION = {
  folders: ['folders', '["/tmp"]', 'Folders to look at.'],
  unit: ['unit', 'visit', 'Unit of the meter.'],
};

export function sampleConfig({ name, kind }) {
  const [option, value, meaning] = kind === 'listener' ? OPTION.unit : OPTION.folders;
  return `plugins:\n  ${name}:\n    # ${meaning}\n    # ${option}: ${value}\n`;
}

const READS = {
  pollster: 'The entries of some folders, once a poll.',
  discovery: 'The folders below some folders, whenever a pollster that names it is due.',
  listener: (name) => `Notifications of the event types \`${name}.visit.*\`.`,
};

const METER = {
  pollster: (name) => `| \`${name}.entries\` | gauge | entry | Entries of a folder. |`,
  listener: (name) => `| \`${name}.visits\` | delta | visit | People who came through a door. |`,
};

const OUTPUT = {
  pollster: (name) => `${name}.entries   node-1:/tmp   12   entry`,
  discovery: () => 'node-1:/tmp/one\nnode-1:/tmp/two',
  listener: (name) => `${name}.visits   north   3   visit   project museum`,
};

/** The sections that every plugin's README has; the tables may be filled by hand. */
export function readme({ name, kind }) {
  const [option, value, meaning] = kind === 'listener' ? OPTION.unit : OPTION.folders;
  const reads = typeof READS[kind] === 'string' ? READS[kind] : READS[kind](name);
  const meters = METER[kind];
  return `# ${name}

One sentence: what this ${kind} is good for.

## Reads

${reads}
${
  meters === undefined
    ? ''
    : `
## Meters

<!-- prettier-ignore-start -->

<!-- meters -->

| meter | type | unit | what it is |
| --- | --- | --- | --- |
${meters(name)}

<!-- /meters -->

<!-- prettier-ignore-end -->
`
}
## Needs

Rights, services, kernel features.

## Configuration

Below \`plugins.${name}\`; every option is in [sample.config.yaml](sample.config.yaml).

<!-- prettier-ignore-start -->

<!-- options -->

| option | default | meaning |
| --- | --- | --- |
| \`${option}\` | \`${value}\` | ${meaning} |

<!-- /options -->

<!-- prettier-ignore-end -->

## Example output

\`\`\`
${OUTPUT[kind](name)}
\`\`\`

## Limits

What it does not see, and where its figures are coarse.
`;
}
