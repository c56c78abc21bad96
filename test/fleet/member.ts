import { createAmqpBus } from '@nephometer/bus-amqp';
import {
  createLogger,
  defaultConfig,
  loadKeyring,
  MetricRegistry,
  MINUTE,
  ProcessStatus,
  readMessage,
  readMeteringEnvelope,
  systemClock,
} from '@nephometer/core';
import type { Clock, NewSpooledBatch, Spool } from '@nephometer/core';
import { createAgent, openLmdbSpool } from 'nephometer-agent';
import { meterOf } from './meter.ts';
import type { FleetSettings, IssuedLine, MemberSettings, SpooledLine } from './settings.ts';

const MAX_SPOOL_BYTES = 2 ** 30;

/** One agent of many in a process: spool, key, connections and id of its own, polled when it is told to. */
export interface Member {
  readonly spool: Spool;
  poll(): Promise<void>;
  stop(): Promise<void>;
}

type Tell = (line: IssuedLine | SpooledLine) => void;

/** Starts an agent that tells every reading before it is given, and every batch once the spool has it. */
export async function startMember(settings: MemberSettings, fleet: FleetSettings, tell: Tell): Promise<Member> {
  const clock = { ...systemClock, now: () => systemClock.now() - (fleet.clockBehind ?? 0) };
  const { agent, bus, spool } = await createMember(settings, fleet, clock, tell);
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

/** Leaves behind what an agent has whose broker was away for as long as the slots last, until a minute ago. */
export async function fillSpool(settings: MemberSettings, fleet: FleetSettings, tell: Tell): Promise<void> {
  const { slots, stepMs } = fleet.fill ?? { slots: 0, stepMs: 0 };
  let now = systemClock.now() - slots * stepMs * 1000 - MINUTE;
  const { agent, bus, spool } = await createMember(settings, fleet, { ...systemClock, now: () => now }, tell);
  for (let slot = 0; slot < slots; slot++) {
    now += stepMs * 1000;
    await agent.pollNow();
  }
  await bus.close();
  await spool.close();
}

/** An agent that was not started, and is not connected. */
async function createMember(settings: MemberSettings, fleet: FleetSettings, clock: Clock, tell: Tell) {
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
  const write = (line: string): void => void process.stdout.write(line);
  const log = createLogger({ level: 'warn', format: 'json', write }).child({ agent: id });
  const metrics = new MetricRegistry();
  const spool = await openLmdbSpool({ folder: dataDir, maxBytes: MAX_SPOOL_BYTES, whenFull: 'refuse-new', log });
  const bus = createAmqpBus({ url: config.bus.url, config: config.bus, name: id, log, metrics });
  const meter = meterOf(id, fleet.resources, fleet.padding ?? 0, tell);
  const agent = createAgent({
    roles: ['compute-agent'],
    config,
    plugins: { pollsters: [meter], discoveries: [], listeners: [], idle: [] },
    bus,
    keyring: await loadKeyring(config, {}),
    spool: telling(spool, id, tell),
    agentId: id,
    clock,
    log,
    metrics,
    status: new ProcessStatus(metrics, {}),
  });
  return { agent, bus, spool };
}

/** The same spool, and a witness of what it took. */
function telling(spool: Spool, agent: string, tell: Tell): Spool {
  return {
    async append(batch) {
      await spool.append(batch);
      tell(spooledLine(agent, batch));
    },
    due: (resendBefore, limit) => spool.due(resendBefore, limit),
    markConfirmed: (digests, at, lane) => spool.markConfirmed(digests, at, lane),
    awaited: (lane) => spool.awaited(lane),
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
