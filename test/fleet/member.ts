import { createAmqpBus } from '@nephometer/bus-amqp';
import {
  createLogger,
  defaultConfig,
  loadKeyring,
  MetricRegistry,
  ProcessStatus,
  readMessage,
  readMeteringEnvelope,
  systemClock,
} from '@nephometer/core';
import type { NewSpooledBatch, Spool } from '@nephometer/core';
import { createAgent, openLmdbSpool } from 'nephometer-agent';
import { meterOf } from './meter.ts';
import type { FleetSettings, IssuedLine, MemberSettings, SpooledLine } from './settings.ts';

const MAX_SPOOL_BYTES = 256 * 2 ** 20;

/** One agent of many in a process: spool, key, connections and id of its own, polled when it is told to. */
export interface Member {
  readonly spool: Spool;
  poll(): Promise<void>;
  stop(): Promise<void>;
}

type Tell = (line: IssuedLine | SpooledLine) => void;

/** Starts an agent that tells every reading before it is given, and every batch once the spool has it. */
export async function startMember(settings: MemberSettings, fleet: FleetSettings, tell: Tell): Promise<Member> {
  const { id, keyFile, dataDir } = settings;
  const config = defaultConfig({
    host: id,
    data_dir: dataDir,
    // Polled by hand: the timers' first tick lies beyond the test.
    interval: '24h',
    bus: { url: fleet.bus, namespace: fleet.namespace, reconnect_max: '2s', heartbeat: '5s' },
    signing: { key_file: keyFile },
    agent: { id, resend_after: fleet.resendAfter, spread: '0s' },
  });
  const log = createLogger({ level: 'warn', format: 'json', write: (line) => void process.stdout.write(line) }).child({
    agent: id,
  });
  const metrics = new MetricRegistry();
  const status = new ProcessStatus(metrics, {});
  const spool = await openLmdbSpool({ folder: dataDir, maxBytes: MAX_SPOOL_BYTES, whenFull: 'refuse-new', log });
  const bus = createAmqpBus({ url: config.bus.url, config: config.bus, name: id, log, metrics });
  const agent = createAgent({
    roles: ['compute-agent'],
    config,
    plugins: { pollsters: [meterOf(id, fleet.resources, tell)], discoveries: [], listeners: [], idle: [] },
    bus,
    keyring: await loadKeyring(config, {}),
    spool: telling(spool, id, tell),
    agentId: id,
    clock: { ...systemClock, now: () => systemClock.now() - (fleet.clockBehind ?? 0) },
    log,
    metrics,
    status,
  });
  void bus.connect();
  await agent.start();
  return {
    spool,
    poll: () => agent.pollNow(),
    async stop() {
      await agent.stop();
      await bus.close();
      await spool.close();
    },
  };
}

/** The same spool, and a witness of what it took. */
function telling(spool: Spool, agent: string, tell: Tell): Spool {
  return {
    async append(batch) {
      await spool.append(batch);
      tell(spooledLine(agent, batch));
    },
    due: (resendBefore, limit) => spool.due(resendBefore, limit),
    markConfirmed: (digests, at) => spool.markConfirmed(digests, at),
    release: (digests) => spool.release(digests),
    takeLosses: () => spool.takeLosses(),
    lossesTold: () => spool.lossesTold(),
    stats: () => spool.stats(),
    close: () => spool.close(),
  };
}

function spooledLine(agent: string, { digest, epoch, seq, body }: NewSpooledBatch): SpooledLine {
  const ids = readMeteringEnvelope(body).texts.map((text) => readMessage(text).sample.messageId);
  return { kind: 'spooled', agent, digest, epoch, seq, ids };
}
