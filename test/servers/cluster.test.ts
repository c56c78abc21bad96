import t from 'tap';
import { startRabbitCluster, until } from './index.ts';
import { pause, publishDurably, QUEUE_SETTLES_MS, takeFrom } from './queue.fixture.ts';

t.test('a cluster of three serves a quorum queue without the node that is killed', async (t) => {
  const cluster = await startRabbitCluster(3);
  t.teardown(() => cluster.stop());
  const [first, second, third] = cluster.nodes;
  if (!first || !second || !third) throw new Error('three nodes were asked for');
  const running = await second.ctl('cluster_status', '--formatter', 'json');
  t.same((JSON.parse(running) as { running_nodes: string[] }).running_nodes.sort(), [
    first.nodeName,
    second.nodeName,
    third.nodeName,
  ]);
  await publishDurably(first.url, 'replicated', 'thrice');
  await pause(QUEUE_SETTLES_MS);
  await first.kill();
  // Refused while the two that are left elect a leader.
  const published = (): Promise<boolean> =>
    publishDurably(third.url, 'replicated', 'still').then(
      () => true,
      () => false,
    );
  await until(published, { timeoutMs: 30_000, describe: () => 'the two nodes that are left confirm nothing' });
  t.equal(await takeFrom(second.url, 'replicated'), 'thrice');
  await first.restart();
  t.equal(await takeFrom(first.url, 'replicated'), 'still');
});
