import { randomBytes } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import amqp from 'amqplib';
import type { ConfirmChannel } from 'amqplib';
import { busNames, merkleRoot, verifyHeader } from '@nephometer/core';
import type { BusNames } from '@nephometer/core';
import { temporaryFolder, uniqueName, until } from '../servers/index.ts';
import { ChaosAgent } from './agent.ts';
import { ForgedAgent } from './forge.ts';
import type { AgentSettings } from './agent.ts';
import type { AgentEvidence, Evidence, Finding } from './judge-types.ts';
import { sum } from './metrics.ts';
import { Side } from './side.ts';
import type { SideSettings, StoreKind } from './side.ts';
import { StoreView } from './store-view.ts';
import { Tap } from './tap.ts';
import type { Tapped } from './tap.ts';

export interface LabSettings {
  readonly store: StoreKind;
  /** `amqp://...` that agents use. */
  readonly broker: string;
  /** What collectors use, where that is another door; the judge itself goes by `direct`. */
  readonly collectorBroker?: string;
  /** The broker itself, where `broker` is a proxy. */
  readonly direct?: string;
  /** `http://...` of InfluxDB. */
  readonly influx: string;
  /** Whether the judge has a queue of its own on the agents' exchange; off where it would change routing. */
  readonly tap?: boolean;
  /** The shared secret; an own one by default. */
  readonly secret?: string;
  readonly side?: Pick<SideSettings, 'collectors' | 'yaml' | 'busYaml' | 'collectorEnv'>;
  readonly say: (line: string) => void;
}

/** The processes of one case, and the judge's view of them. Everything in it has a namespace of its own. */
export class Lab {
  readonly settings: LabSettings;
  readonly namespace = uniqueName('chaos');
  readonly names: BusNames = busNames(this.namespace);
  readonly folder = temporaryFolder('nephometer-chaos');
  readonly secret: string;
  readonly token = randomBytes(24).toString('base64url');
  readonly agents: ChaosAgent[] = [];
  readonly forged: ForgedAgent[] = [];
  /** What samples may be signed with. */
  readonly secrets = new Set<string>();
  readonly side: Side;
  readonly view: StoreView;
  readonly tap: Tap | null;
  readonly #env: NodeJS.ProcessEnv;

  constructor(settings: LabSettings) {
    this.settings = settings;
    this.secret = settings.secret ?? randomBytes(24).toString('base64url');
    this.secrets.add(this.secret);
    const [secretFile, tokenFile] = [join(this.folder, 'secret'), join(this.folder, 'token')];
    writeFileSync(secretFile, this.secret, { mode: 0o600 });
    writeFileSync(tokenFile, this.token, { mode: 0o600 });
    const { store, broker, collectorBroker = broker, influx } = settings;
    this.#env = { ...process.env, NEPHOMETER_SECRET_FILE: secretFile, NEPHOMETER_BUS_URL: broker };
    this.side = new Side({
      store,
      storeUrl: `influxdb://${influx.replace(/^http:\/\//, '')}/${this.namespace}`,
      env: { ...this.#env, NEPHOMETER_BUS_URL: collectorBroker },
      namespace: this.namespace,
      tokenFile,
      ...settings.side,
    });
    this.view = new StoreView(() => this.side.url, this.token);
    this.tap = settings.tap === false ? null : new Tap(this.direct, this.namespace);
  }

  /** The broker itself. */
  get direct(): string {
    return this.settings.direct ?? this.settings.broker;
  }

  say(line: string): void {
    this.settings.say(line);
  }

  /** Starts collectors, API, tap, and one agent, and waits until its samples are in the store. */
  async start(agent: Partial<AgentSettings> = {}): Promise<ChaosAgent> {
    await this.side.start();
    await this.tap?.start();
    const first = await this.addAgent(agent);
    await this.flows(Date.now(), 60_000);
    return first;
  }

  async addAgent(settings: Partial<AgentSettings> = {}): Promise<ChaosAgent> {
    const agent = this.newAgent(settings);
    await agent.start();
    return agent;
  }

  newAgent(settings: Partial<AgentSettings> = {}): ChaosAgent {
    const id = `agent-${this.agents.length + 1}`;
    const agent = new ChaosAgent({ id, env: this.#env, namespace: this.namespace, ...settings });
    this.agents.push(agent);
    return agent;
  }

  /** An agent without a process; it signs with the shared secret, or with its own. */
  forgedAgent(id: string, secret = this.secret): ForgedAgent {
    const agent = new ForgedAgent(id, secret, 60e6);
    this.secrets.add(secret);
    this.forged.push(agent);
    return agent;
  }

  /** Waits until a sample of each running agent is in the store that was issued after `since`. */
  async flows(since: number, timeoutMs: number): Promise<void> {
    const waiting = new Set(this.agents.filter(({ isRunning }) => isRunning));
    const describe = (): string => `no fresh sample of ${[...waiting].map(({ id }) => id).join(', ')} in the store`;
    await until(
      async () => {
        // One question for all: the judge must not be the load that it judges.
        const fresh = await this.view.freshAfter(since).catch(() => []);
        for (const agent of waiting) {
          const prefix = `${agent.settings.prefix ?? agent.id}-`;
          if (fresh.some((resource) => resource.startsWith(prefix))) waiting.delete(agent);
        }
        return waiting.size === 0;
      },
      { timeoutMs, everyMs: 200, describe },
    );
  }

  /** E: the fault ended now; a sample that is issued from now on must be in the store within 10 s. */
  async healed(withinMs = 10_000): Promise<Finding> {
    const since = Date.now();
    try {
      await this.flows(since, withinMs);
      const seconds = ((Date.now() - since) / 1000).toFixed(1);
      return { letter: 'E', problems: [], seen: `after ${seconds} s` };
    } catch (cause) {
      return { letter: 'E', problems: [String(cause instanceof Error ? cause.message : cause)], seen: 'nothing fresh' };
    }
  }

  /** Lets all that was issued come to rest: no more polls, agents end by themselves, collectors take what is queued. */
  async settle(timeoutMs = 90_000): Promise<Evidence> {
    for (const agent of this.agents) agent.control({ hold: true });
    await sleep(1500);
    await until(async () => (await this.waiting()) === 0, {
      timeoutMs,
      everyMs: 250,
      describe: () => 'samples stay in the spools',
    }).catch((cause: unknown) => this.say(String(cause)));
    const counters = new Map<string, Pick<AgentEvidence, 'droppedCounter' | 'spooledCounter'>>();
    for (const agent of this.agents) counters.set(agent.id, await countersOf(agent));
    await Promise.all(this.agents.filter(({ isRunning }) => isRunning).map((agent) => agent.end()));
    const left = this.agents.flatMap(({ leftovers }) => [...leftovers.keys()]);
    let there = new Set<string>();
    const allThere = async (): Promise<boolean> => {
      there = new Set((await this.view.ledger()).map(({ digest }) => digest));
      return left.every((digest) => there.has(digest));
    };
    await until(allThere, { timeoutMs: 20_000, everyMs: 300, describe: () => 'batches stay out of the ledger' }).catch(
      () => undefined, // A says which
    );
    await sleep(300);
    return this.#evidence(counters);
  }

  /** Samples in the spools of running agents, of polls before the hold. */
  async waiting(): Promise<number> {
    const all = await Promise.all(this.agents.filter(({ isRunning }) => isRunning).map((agent) => agent.metrics()));
    return all.reduce((total, metrics) => total + sum(metrics, 'nephometer_agent_spool_samples'), 0);
  }

  /** A channel with confirms of the judge's own, straight to the broker. */
  async withChannel<T>(act: (channel: ConfirmChannel) => Promise<T>): Promise<T> {
    const connection = await amqp.connect(this.direct, { timeout: 10_000 });
    connection.on('error', () => undefined);
    try {
      const channel = await connection.createConfirmChannel();
      channel.on('error', () => undefined);
      return await act(channel);
    } finally {
      await connection.close().catch(() => undefined);
    }
  }

  /** Publishes bodies to the agents' exchange, and waits for the confirms. */
  async publish(bodies: readonly Buffer[], properties: amqp.Options.Publish = {}): Promise<void> {
    await this.withChannel(async (channel) => {
      for (const body of bodies) {
        const options = { persistent: true, contentType: 'application/json', ...properties };
        if (!channel.publish(this.names.exchange, this.names.sampleKey, body, options)) {
          await Promise.race([new Promise((resolve) => channel.once('drain', resolve)), sleep(2_000)]);
        }
      }
      await channel.waitForConfirms();
    });
  }

  /** Messages that wait in a queue, and its consumers. */
  queue(name: string): Promise<{ messageCount: number; consumerCount: number }> {
    return this.withChannel((channel) => channel.checkQueue(name));
  }

  /** Batches that wait for collectors, and those who take them. */
  async queued(): Promise<{ messageCount: number; consumerCount: number }> {
    const [fresh, backlog] = await this.withChannel(async (channel) => [
      await channel.checkQueue(this.names.samples),
      await channel.checkQueue(this.names.backlog),
    ]);
    const both = [fresh, backlog].flatMap((one) => one ?? []);
    const sum = (of: (queue: (typeof both)[number]) => number): number => both.reduce((all, one) => all + of(one), 0);
    return { messageCount: sum((one) => one.messageCount), consumerCount: sum((one) => one.consumerCount) };
  }

  async close(): Promise<void> {
    await Promise.allSettled(this.agents.filter(({ isRunning }) => isRunning).map((one) => one.daemon.process.kill()));
    await this.tap?.stop();
    await this.side.end();
    await this.#removeQueues().catch(() => undefined);
  }

  /** The broker may be one that other cases use. */
  async #removeQueues(): Promise<void> {
    await this.withChannel(async (channel) => {
      for (const queue of [this.names.samples, this.names.backlog, this.names.dead, `${this.namespace}.tap`])
        await channel.deleteQueue(queue);
      for (const exchange of [this.names.exchange, this.names.receipts, this.names.dead])
        await channel.deleteExchange(exchange);
    });
  }

  /** What processes of ours published: a case may publish forgeries too. */
  #spooledOf(tapped: ReadonlyMap<string, Tapped>): Map<string, Tapped> {
    const ids = new Set(this.agents.map(({ id }) => id));
    const secret = Buffer.from(this.secret);
    return new Map(
      [...tapped].filter(
        ([
          ,
          {
            envelope: { header, texts },
          },
        ]) => {
          const isWhole = header.samples === texts.length && merkleRoot(texts) === header.merkle_root;
          return ids.has(header.agent_id) && isWhole && verifyHeader(header, secret);
        },
      ),
    );
  }

  async #evidence(
    counters: ReadonlyMap<string, Pick<AgentEvidence, 'droppedCounter' | 'spooledCounter'>>,
  ): Promise<Evidence> {
    const [ledger, samples, quarantine, conflicts, duplicates] = await Promise.all([
      this.view.ledger(),
      this.view.samples(),
      this.view.quarantine(),
      this.view.conflicts(),
      this.side.counter('nephometer_collector_batches_total', 'outcome="duplicate"'),
    ]);
    const proven = [];
    const step = Math.max(1, Math.floor(samples.length / 25));
    for (let i = 0; i < samples.length; i += step) {
      const sample = samples[i];
      if (sample !== undefined) proven.push({ sample, evidence: await this.view.evidence(sample.message_id) });
    }
    const agents = this.agents.map((agent): AgentEvidence => ({
      id: agent.id,
      interval: (agent.settings.interval ?? 1) * 1e6,
      lives: agent.lives,
      issued: agent.issued(),
      leftovers: agent.leftovers,
      ...(counters.get(agent.id) ?? { droppedCounter: null, spooledCounter: null }),
    }));
    for (const { id, interval, issued } of this.forged) {
      const counters = { droppedCounter: null, spooledCounter: null };
      agents.push({ id, interval, issued, lives: [], leftovers: new Map(), ...counters });
    }
    const tapped = this.#spooledOf(this.tap?.batches ?? new Map<string, Tapped>());
    const collectorKills = this.side.kills;
    return {
      secrets: this.secrets,
      agents,
      tapped,
      samples,
      ledger,
      quarantine,
      conflicts,
      proven,
      duplicates,
      collectorKills,
    };
  }
}

async function countersOf(agent: ChaosAgent): Promise<Pick<AgentEvidence, 'droppedCounter' | 'spooledCounter'>> {
  const metrics = agent.isRunning && agent.lives.length === 1 ? await agent.metrics() : null;
  if (metrics === null) return { droppedCounter: null, spooledCounter: null };
  return {
    droppedCounter: sum(metrics, 'nephometer_agent_dropped_samples_total'),
    spooledCounter: sum(metrics, 'nephometer_agent_samples_total'),
  };
}
