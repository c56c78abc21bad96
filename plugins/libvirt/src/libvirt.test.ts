import { execFile } from 'node:child_process';
import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import t from 'tap';
import { checkPollster, goldenCases, openPollster, pollPlugin, recordLog } from '@nephometer/core/plugin/testing';
import { LibvirtConfig } from './config.ts';
import plugin, { createLibvirt } from './index.ts';
import { mebibytes } from './readings.ts';
import type { RunVirsh } from './virsh.ts';

/**
 * A virsh that plays back what a real one printed: domstats.txt (which begins with the list) and <uuid>.xml of a folder;
 * or whatever the folder's own virsh.sh does.
 */
const PLAYBACK = `
commands=$(for last in "$@"; do :; done; echo "$last")
definitions() {
  for word in $(echo "$commands" | tr -d ';'); do
    [ "$word" = dumpxml ] || cat "$word.xml" 2>/dev/null || missing "$word"
  done
}
missing() {
  echo "error: failed to get domain '$1'" >&2
  false
}
if [ -e virsh.sh ]; then . ./virsh.sh; exit; fi
case "$commands" in
*domstats*) cat domstats.txt ;;
*) definitions ;;
esac
`;

async function playback(input: string): Promise<{ variables: { virsh: string }; close: () => Promise<void> }> {
  const folder = await mkdtemp(join(tmpdir(), 'nephometer-virsh-'));
  const virsh = join(folder, 'virsh');
  await writeFile(virsh, `#!/bin/sh\ncd '${input}' || exit 9\n${PLAYBACK}`);
  await chmod(virsh, 0o755);
  return { variables: { virsh }, close: () => rm(folder, { recursive: true, force: true }) };
}

const CASES = new URL('../cases/', import.meta.url);
const RECORDED = new URL('one-running-one-without-nova-one-shut-off/input/', CASES);

t.test('golden cases', async (t) => {
  const prepare = async (input: string) => ({ plugin: createLibvirt(), ...(await playback(input)) });
  for (const { name, check } of await goldenCases(plugin, CASES, { prepare })) {
    await t.resolves(check(), name);
  }
});

t.test('obeys the contract', async (t) => {
  const { variables, close } = await playback(RECORDED.pathname);
  t.teardown(close);
  await checkPollster(createLibvirt(), { options: variables });
});

/** Answers as the recorded case, and keeps what was asked. */
function recorded(): { run: RunVirsh; asked: string[] } {
  const asked: string[] = [];
  const run: RunVirsh = async (_config, commands) => {
    asked.push(commands);
    const uuids = [...commands.matchAll(/dumpxml (\S+?)(?:;|$)/g)].map(([, uuid = '']) => uuid);
    const files = uuids.length === 0 ? ['domstats.txt'] : uuids.map((uuid) => `${uuid}.xml`);
    const texts = await Promise.all(files.map((file) => readFile(new URL(file, RECORDED), 'utf8')));
    return { stdout: texts.join('\n'), errors: [], failed: false };
  };
  return { run, asked };
}

t.test('in a steady state a tick costs one child process', async (t) => {
  const { run, asked } = recorded();
  const open = await openPollster(createLibvirt(run));
  const first = await open.poll();
  t.equal(asked.length, 3, 'asked whether it is enabled, for statistics, for three definitions');
  asked.length = 0;
  for (let tick = 0; tick < 5; tick++) t.same(await open.poll(), first);
  t.equal(asked.length, 5);
  t.notOk(asked.some((commands) => commands.includes('dumpxml')));
});

t.test('definitions are read anew when they are old', async (t) => {
  const { run, asked } = recorded();
  const open = await openPollster(createLibvirt(run), { refresh: 0.000001 });
  await open.poll();
  await open.poll();
  t.equal(asked.filter((commands) => commands.includes('dumpxml')).length, 2);
});

t.test('a poll without a discovery before it looks itself, and shows nothing old', async (t) => {
  const { run, asked } = recorded();
  const open = await openPollster(createLibvirt(run));
  const resources = await open.discover();
  await open.poll({ resources });
  const before = asked.length;
  await open.poll({ resources });
  t.equal(asked.length, before + 1);
});

t.test('a virsh that hangs', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'nephometer-hang-'));
  t.teardown(() => rm(folder, { recursive: true, force: true }));
  const virsh = join(folder, 'virsh');
  await writeFile(virsh, `#!/bin/sh\nif [ -e '${folder}/hang' ]; then exec sleep 60; fi\n`);
  await chmod(virsh, 0o755);
  const open = await openPollster(plugin, { virsh, timeout: 0.3 });
  await writeFile(join(folder, 'hang'), '');

  await t.test('is killed after the timeout, and the poll fails', async (t) => {
    await t.rejects(open.poll(), { message: `${virsh} did not answer within 0.3 s` });
  });
  await t.test('is killed when the time of the poll is over', async (t) => {
    const start = performance.now();
    const slow = { ...open.context, options: { ...LibvirtConfig.parse({ virsh }), timeout: 50 } };
    const discover = plugin.discovery as (context: object) => Promise<unknown>;
    await t.rejects(discover({ ...slow, signal: AbortSignal.timeout(200), report: () => undefined }), {
      message: `${virsh} was stopped: the time of the poll is over`,
    });
    t.ok(performance.now() - start < 3000);
  });
  await t.test('leaves the plugin on, with a warning, within two seconds', async (t) => {
    const log = recordLog();
    const start = performance.now();
    await openPollster(plugin, { virsh }, { log });
    t.ok(performance.now() - start < 2500);
    t.match(log.lines, [{ level: 'warn', fields: { cause: `${virsh} did not answer within 1.9 s` } }]);
  });
});

t.test('KiB become MiB without loss', (t) => {
  t.equal(mebibytes('0'), '0');
  t.equal(mebibytes('1'), '0.0009765625');
  t.equal(mebibytes('102400'), '100');
  t.equal(mebibytes('18446744073709551615'), '18014398509481983.9990234375');
  t.equal(mebibytes(undefined), undefined);
  t.end();
});

t.test("libvirt's own test driver does no harm", async (t) => {
  const here = await promisify(execFile)('virsh', ['--version']).then(
    () => true,
    () => false,
  );
  const reason = here ? /test:\/\/\/default gives no statistics of its guests/ : /virsh is not on the PATH/;
  await t.rejects(pollPlugin(plugin, { uri: 'test:///default' }), { message: reason });
  await t.rejects(pollPlugin(plugin, { uri: 'nonsense:///' }), {
    message: here ? /^libvirt is of no use here: nonsense:/ : reason,
  });
});
