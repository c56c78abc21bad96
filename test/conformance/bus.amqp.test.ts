import { createAmqpBus } from '@nephometer/bus-amqp';
import { defaultConfig, MetricRegistry, silentLogger } from '@nephometer/core';
import t from 'tap';
import { rabbitmqUrl } from '../servers/index.ts';
import { busSuite } from './bus.suite.ts';

const { bus: config } = defaultConfig();

async function open() {
  const bus = createAmqpBus({
    url: await rabbitmqUrl(),
    config,
    name: 'conformance',
    log: silentLogger,
    metrics: new MetricRegistry(),
  });
  await bus.connect();
  return bus;
}

busSuite(t, { open, maxMessage: config.max_message });
