import { globToRegExp } from '@nephometer/core';
import type { ActivePlugin, Listener, PluginContext } from '@nephometer/core';

/** A listener plugin ready for notifications. */
export interface ActiveListener {
  readonly name: string;
  readonly wants: (eventType: string) => boolean;
  readonly listener: Listener;
  readonly context: PluginContext<unknown>;
}

/** Asks a plugin which event types it wants: globs match whole, regular expressions from the start. */
export async function activeListener({ plugin, context }: ActivePlugin<Listener>): Promise<ActiveListener> {
  const { eventTypes } = plugin;
  const wanted = typeof eventTypes === 'function' ? await eventTypes(context) : eventTypes;
  const expressions = wanted.map((one) => (typeof one === 'string' ? globToRegExp(one) : atStart(one)));
  const wants = (eventType: string): boolean => expressions.some((expression) => expression.test(eventType));
  return { name: plugin.name, wants, listener: plugin, context };
}

/** Without `g` and `y`, which would make a test remember the one before. */
function atStart({ source, flags }: RegExp): RegExp {
  return new RegExp(`^(?:${source})`, flags.replace(/[gy]/g, ''));
}
