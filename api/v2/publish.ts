import { busNames, formatTimestamp, sampleTopology, uuidv4 } from '@nephometer/core';
import type { Bus, Clock, Config } from '@nephometer/core';

/** Puts the texts of metering messages on the bus as Ceilometer's API did: event type `telemetry.api`, in one message. */
export function publisherOf(bus: Bus, config: Config, clock: Clock): (texts: readonly string[]) => Promise<void> {
  const names = busNames(config.bus.namespace);
  let declared: Promise<void> | null = null;

  // Declared by the first who needs it, so that samples wait in the queue even before the first collector starts.
  const declare = async (): Promise<void> => {
    declared ??= bus.declare(sampleTopology(names, config.bus.delivery_limit));
    try {
      await declared;
    } catch (cause) {
      declared = null;
      throw cause;
    }
  };

  return async (texts) => {
    await declare();
    const messageId = uuidv4();
    const body = Buffer.from(envelope(messageId, texts, formatTimestamp(clock.now())));
    const contentType = 'application/json';
    await bus.publish({ exchange: names.exchange, routingKey: names.sampleKey, body, messageId, contentType });
  };
}

/** oslo.messaging's envelope 2.0. The texts go in as they are: signatures cover their literals. */
function envelope(messageId: string, texts: readonly string[], timestamp: string): string {
  const inner =
    `{"message_id":"${messageId}","publisher_id":"ceilometer.api","event_type":"telemetry.api","priority":"SAMPLE",` +
    `"payload":{"samples":[${texts.join(',')}]},"timestamp":"${timestamp.replace('T', ' ')}",` +
    `"_unique_id":"${uuidv4().replaceAll('-', '')}"}`;
  return JSON.stringify({ 'oslo.version': '2.0', 'oslo.message': inner });
}
