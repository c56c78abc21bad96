import { CONTRACT_VERSION, defineListener } from '@nephometer/core/plugin';
import { metersOptions } from './options.ts';
import type { MetersOptions } from './options.ts';
import { samplesOf } from './samples.ts';

/** Turns notifications into samples by definitions in Ceilometer's meters.yaml format. */
export default defineListener<MetersOptions>({
  name: 'meters-yaml',
  contract: CONTRACT_VERSION,
  options: metersOptions,
  enabled: ({ options }) => options.definitions.length > 0 || 'no meter is defined',
  eventTypes: ({ options }) => options.definitions.flatMap(({ eventTypes }) => eventTypes),
  onNotification(notification, { options, log }) {
    return options.definitions
      .filter(({ eventTypes }) => eventTypes.some((type) => type.test(notification.eventType)))
      .flatMap((definition) => samplesOf(definition, notification.exact, options, log));
  },
});
