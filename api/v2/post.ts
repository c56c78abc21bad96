import { readMessage, sha256, signSample, toDouble, uuidv4 } from '@nephometer/core';
import type { BatchRecord, Keyring, SignedMessage, SigningKey } from '@nephometer/core';
import { identityOf } from '../auth.ts';
import { readJson } from '../body.ts';
import type { ApiOptions, Handler } from '../context.ts';
import { sendJson } from '../respond.ts';
import { strictJson } from '../strict-json.ts';
import { UrlArguments } from './arguments.ts';
import { clientFault } from './faults.ts';
import { readPosted } from './posted.ts';
import type { Posted } from './posted.ts';
import { PostPublisher } from './publish.ts';
import { float, json, time } from './shapes.ts';

/** POST /v2/meters/{name}: signs the samples as metering messages, and records them or puts them on the bus. */
export function postSamples(options: ApiOptions): Handler {
  const { config, store, bus, keyring, clock } = options;
  const publisher = bus === null ? null : new PostPublisher(bus, config, clock);
  return async (ctx) => {
    const args = new UrlArguments(ctx.querystring, ['direct']);
    const isDirect = args.boolean('direct');
    const body = await readJson(ctx, config.api.max_body);
    if (!Array.isArray(body)) throw clientFault('The request body must be a list of samples.');
    if (body.length === 0) throw clientFault('Samples should be included in request body');
    const defaults = {
      meter: ctx.params['name'] ?? '',
      identity: identityOf(ctx),
      userId: ctx.get('X-User-Id') || null,
      projectId: ctx.get('X-Project-Id') || null,
      now: clock.now(),
      signing: config.signing,
    };
    const posted = body.map((item) => readPosted(item, defaults));
    const byBus = isDirect ? null : publisher;
    // So that nothing is signed with a key that was revoked a moment ago.
    await keyring.refresh();
    const key = byBus === null ? storedKey(keyring) : keyring.signingKey(byBus.agentId);
    const messages = posted.map(({ counter, source }) => {
      return signSample(counter, { messageId: uuidv4(), source }, key.secret);
    });
    if (byBus === null) {
      await store.record(messages.map((message) => batchOf(message, key)));
    } else {
      await byBus.publish(
        messages.map(({ text }) => text),
        key,
      );
    }
    ctx.status = 201;
    sendJson(ctx, `[${posted.map((item, i) => answerText(item, messages[i])).join(',')}]`);
  };
}

/** What goes to the store from here has no batch header, so the key that all know is better evidence. */
function storedKey(keyring: Keyring): SigningKey {
  return keyring.sharedKeys()[0] ?? keyring.signingKey('collector.api');
}

function batchOf({ text }: SignedMessage, { keyId }: SigningKey): BatchRecord {
  // Read back from its text, as every other way into the store does it.
  const sample = { ...readMessage(text).sample, text, slot: null };
  const digest = sha256(text);
  return { digest, header: null, headerText: null, keyId, transport: 'api', samples: [sample] };
}

/** The sample as it was posted, with what it got here. */
function answerText({ counter, source, metadata }: Posted, message: SignedMessage | undefined): string {
  return (
    `{"source":${json(source)},"counter_name":${json(counter.meter)},"counter_type":"${counter.type}",` +
    `"counter_unit":${json(counter.unit)},"counter_volume":${float(toDouble(counter.volume))},` +
    `"user_id":${json(counter.userId)},"project_id":${json(counter.projectId)},` +
    `"resource_id":${json(counter.resourceId)},"timestamp":${time(counter.timestamp)},` +
    `"resource_metadata":${strictJson(metadata)},"message_id":${json(message?.sample.messageId ?? null)}}`
  );
}
