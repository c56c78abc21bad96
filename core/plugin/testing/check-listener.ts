import { isDeepStrictEqual } from 'node:util';
import { messageOf } from '../../errors.ts';
import { globToRegExp } from '../../model/patterns.ts';
import { parseTimestamp } from '../../time.ts';
import type { Listener, Notification, NotificationSample, PluginContext } from '../contract.ts';
import { contextFor, optionFindings } from './context.ts';
import type { PluginSetting } from './context.ts';
import {
  describe,
  idFindings,
  metadataFindings,
  ownerFindings,
  shapeFindings,
  throwFindings,
  typeFindings,
  volumeFindings,
} from './findings.ts';
import { notificationFrom, notificationText } from './hear.ts';

export interface ListenerCheck extends PluginSetting {
  /** Options as a user writes them. */
  readonly options?: unknown;
  /** Notifications of its event types, in any form that `notificationFrom` takes. At least one. */
  readonly notifications: readonly unknown[];
}

/**
 * Checks that a listener obeys the contract: its members, its options, that it would be handed the notifications, that
 * the same notification twice gives the same samples, and that it leaves the notification as it was.
 * @throws AssertionError that lists every finding
 */
export async function checkListener<Options>(plugin: Listener<Options>, check: ListenerCheck): Promise<void> {
  const findings = shapeFindings(plugin, 'listener');
  if (findings.length === 0 && typeof plugin.onNotification !== 'function') {
    findings.push('onNotification: must be a function');
  }
  if (check.notifications.length === 0) findings.push('the check needs at least one notification');
  if (findings.length === 0) findings.push(...(await optionFindings(plugin, check.options)));
  if (findings.length === 0) findings.push(...(await runFindings(plugin, check)));
  throwFindings(`Listener ${describe((plugin as { name?: unknown } | undefined)?.name)}`, findings);
}

async function runFindings<Options>(plugin: Listener<Options>, check: ListenerCheck): Promise<string[]> {
  try {
    const context = await contextFor(plugin, check.options ?? {}, check);
    const eventTypes = typeof plugin.eventTypes === 'function' ? await plugin.eventTypes(context) : plugin.eventTypes;
    const findings = eventTypeFindings(eventTypes);
    if (findings.length > 0) return findings;
    for (const notification of check.notifications.map(notificationFrom)) {
      findings.push(...(await notificationFindings(plugin, context, eventTypes, notification)));
    }
    await plugin.close?.();
    await plugin.close?.();
    return findings;
  } catch (cause) {
    return [`threw ${messageOf(cause)}`];
  }
}

function eventTypeFindings(eventTypes: unknown): string[] {
  if (!Array.isArray(eventTypes) || eventTypes.length === 0) return ['eventTypes: must name at least one event type'];
  return (eventTypes as unknown[])
    .filter((one) => !(one instanceof RegExp) && (typeof one !== 'string' || one === ''))
    .map((one) => `eventTypes: must be globs or regular expressions; found ${describe(one)}`);
}

async function notificationFindings<Options>(
  plugin: Listener<Options>,
  context: PluginContext<Options>,
  eventTypes: readonly (string | RegExp)[],
  notification: Notification,
): Promise<string[]> {
  const where = notification.eventType;
  if (!eventTypes.some((one) => isOfType(one, where))) {
    return [`eventTypes: none matches "${where}"; the listener would never hear it`];
  }
  const before = notificationText(notification);
  const first = await plugin.onNotification(notification, context);
  const findings = notificationText(notification) === before ? [] : [`${where}: the listener changed the notification`];
  const second = await plugin.onNotification(notification, context);
  if (!isDeepStrictEqual(first, second)) {
    findings.push(`${where}: the same notification twice gave other samples; it may come again after a crash`);
  }
  if (!Array.isArray(first)) return [...findings, `${where}: must give an array of samples; found ${describe(first)}`];
  return [...findings, ...(first as NotificationSample[]).flatMap((sample) => sampleFindings(sample, where))];
}

/** A glob matches the whole event type, a regular expression its start. */
function isOfType(wanted: string | RegExp, eventType: string): boolean {
  if (typeof wanted === 'string') return globToRegExp(wanted).test(eventType);
  return new RegExp(`^(?:${wanted.source})`, wanted.flags.replace(/[gy]/g, '')).test(eventType);
}

function sampleFindings(sample: NotificationSample, eventType: string): string[] {
  const where = `${eventType}: ${describe(sample.meter)}`;
  return [
    ...idFindings(sample.meter, `${eventType}: meter`),
    ...idFindings(sample.resourceId, `${where}: resourceId`),
    ...typeFindings(sample.type, where),
    ...(sample.unit === null || typeof sample.unit === 'string' ? [] : [`${where}: unit must be a string or null`]),
    ...volumeFindings(sample.volume, where),
    ...metadataFindings(sample.metadata, where),
    ...ownerFindings(sample.projectId, `${where}: projectId`),
    ...ownerFindings(sample.userId, `${where}: userId`),
    ...timestampFindings(sample.timestamp, where),
  ];
}

function timestampFindings(timestamp: string | undefined, where: string): string[] {
  if (timestamp === undefined) return [];
  try {
    parseTimestamp(timestamp);
    return [];
  } catch (cause) {
    return [`${where}: timestamp: ${messageOf(cause)}`];
  }
}
