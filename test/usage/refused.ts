import { createCollector } from '@nephometer/collector';
import {
  defaultConfig,
  encodeBatch,
  MetricRegistry,
  ProcessStatus,
  SharedSecretKeyring,
  signSample,
  silentLogger,
} from '@nephometer/core';
import type { BatchRecord, Clock, Counter, IngestResult, Store } from '@nephometer/core';

const SECRET = Buffer.from('the secret of the collector of a test');

/** A collector over a store, to which anything may be posted. It knows none of the keys that synthetic agents sign with. */
export interface Door {
  /** A batch of a synthetic agent: its signature does not match. */
  readonly post: (batch: BatchRecord) => Promise<readonly IngestResult[]>;
  /** A metering message without a batch header, signed as this collector wants it. */
  readonly postSigned: (counter: Counter, messageId: string) => Promise<readonly IngestResult[]>;
  readonly postText: (text: string) => Promise<readonly IngestResult[]>;
}

export function openDoor(store: Store, clock: Clock): Door {
  const metrics = new MetricRegistry();
  const status = new ProcessStatus(metrics, { version: 'test' });
  const keyring = new SharedSecretKeyring(SECRET);
  const config = defaultConfig({ store: { url: 'memory:' } });
  const collector = createCollector({ config, bus: null, store, keyring, clock, log: silentLogger, metrics, status });
  const postText = (text: string): Promise<readonly IngestResult[]> => collector.ingest(Buffer.from(text), 'a test');
  return {
    postText,
    post: ({ header, samples }) => {
      if (header === null) throw new TypeError('Synthetic agents send batches.');
      return postText(encodeBatch(header, samples.map(({ text }) => text))); // prettier-ignore
    },
    postSigned: (counter, messageId) => postText(signSample(counter, { messageId, source: 'openstack' }, SECRET).text),
  };
}
