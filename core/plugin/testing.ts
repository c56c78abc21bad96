/**
 * The test kit for plugin authors. It needs no test framework: what is wrong is thrown as an AssertionError that lists
 * every finding, so it works under tap, node:test, mocha or a bare script.
 *
 *   await checkPollster(plugin);                        // the contract is obeyed
 *   const { readings } = await pollPlugin(plugin);      // one poll, as plain objects
 *   for (const { name, check } of await goldenCases(plugin, new URL('../cases/', import.meta.url))) test(name, check);
 */
export { checkPollster } from './testing/check-pollster.ts';
export type { PollsterCheck } from './testing/check-pollster.ts';
export { checkDiscovery } from './testing/check-discovery.ts';
export type { DiscoveryCheck } from './testing/check-discovery.ts';
export { checkListener } from './testing/check-listener.ts';
export type { ListenerCheck } from './testing/check-listener.ts';
export { pollPlugin, openPollster } from './testing/poll.ts';
export type { OpenPollster, PlainReading, PollResult, PollSetting } from './testing/poll.ts';
export { discoverPlugin } from './testing/discover.ts';
export { hearNotification, notificationFrom } from './testing/hear.ts';
export type { PlainSample } from './testing/hear.ts';
export { goldenCases } from './testing/golden.ts';
export type { GoldenCase, GoldenSetting, PreparedCase } from './testing/golden.ts';
export { recordLog } from './testing/context.ts';
export type { LogLine, PluginSetting, RecordedLog } from './testing/context.ts';
export { ManualClock } from '../ports/clock.ts';
