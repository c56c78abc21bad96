/**
 * What a plugin sees of Nephometer: this file and nothing else. A plugin is the default export of the module that an
 * entry point in its package.json names:
 *
 *   "nephometer": { "nephometer.poll.compute": { "my-pollster": "./index.js" } }
 *
 * Namespaces: nephometer.poll.compute and nephometer.poll.central (pollsters of the two agents), nephometer.discover
 * (discoveries), nephometer.collector (notification listeners).
 */
import type { JsonObject } from '../json.ts';
import type { SampleType } from '../model/sample.ts';

/** zod 4, for options schemas: a plugin needs no dependency of its own. */
export { z } from 'zod';
export { JsonNumber, parseJson, stringifyJson, toPlain, fromPlain, isJsonObject } from '../json.ts';
export type { JsonObject, JsonValue } from '../json.ts';
export type { SampleType } from '../model/sample.ts';
/** What several plugins need: lists of globs, secrets in files, answers that must not be endless. */
export { matchesPatterns } from '../model/patterns.ts';
export { boundedText, Globs, matchesAny, secretIn } from './tools.ts';

/** Version of this contract. A plugin made for another is refused with the reason. */
export const CONTRACT_VERSION = 1;

/** Options schema in the Standard Schema form (zod 4, valibot and arktype schemas are some). @see https://standardschema.dev */
export interface OptionsSchema<Options> {
  readonly '~standard': {
    readonly version: 1;
    readonly vendor: string;
    readonly validate: (value: unknown) => ValidationResult<Options> | Promise<ValidationResult<Options>>;
    readonly types?: { readonly input: unknown; readonly output: Options } | undefined;
  };
}
export type ValidationResult<Options> =
  { readonly value: Options; readonly issues?: undefined } | { readonly issues: readonly ValidationIssue[] };
export interface ValidationIssue {
  readonly message: string;
  readonly path?: readonly (PropertyKey | { readonly key: PropertyKey })[] | undefined;
}

/** Structured log; lines carry the plugin's name. */
export interface PluginLog {
  debug(fields: Readonly<Record<string, unknown>>, sentence: string): void;
  info(fields: Readonly<Record<string, unknown>>, sentence: string): void;
  warn(fields: Readonly<Record<string, unknown>>, sentence: string): void;
  error(fields: Readonly<Record<string, unknown>>, sentence: string): void;
}

/** What every plugin is told. */
export interface PluginContext<Options> {
  /** Validated options, defaults filled in. */
  readonly options: Options;
  /** Name of this node, for resource ids. */
  readonly host: string;
  /** The whole configuration, read-only, secrets masked. */
  readonly config: Readonly<Record<string, unknown>>;
  readonly log: PluginLog;
}

/** Asked once, before first use: true, or the reason why the plugin is of no use on this machine. */
export type Enabled<Options> = (context: PluginContext<Options>) => true | string | Promise<true | string>;

/** Something that is measured. Attributes beyond these are the discovery's and its pollsters' own matter. */
export interface Resource {
  /** Becomes resource_id. */
  readonly id: string;
  readonly projectId?: string | null;
  readonly userId?: string | null;
  /** Becomes resource_metadata; plain JSON, or a JsonObject where exact number literals matter. */
  readonly metadata?: Readonly<Record<string, unknown>> | JsonObject;
}

export interface MeterDescription {
  /** `ns`, `B`, `B/s`, `GiB`, `instance`, `%` ... */
  readonly unit: string;
  readonly type: SampleType;
  /** One sentence: what it counts, since when. */
  readonly description: string;
}

/** One value of one meter. */
export interface Reading<R extends Resource = Resource> {
  readonly meter: string;
  /** The resource that was asked about. */
  readonly resource: R;
  /**
   * number, bigint, or the decimal literal as text when digits matter. NaN, infinities and more than 38 digits fail
   * the resource.
   */
  readonly volume: number | bigint | string;
  /** A part of the resource (a disk, an interface) as a resource of its own. Default: the resource's id. */
  readonly resourceId?: string;
  /** Default: the resource's. */
  readonly projectId?: string | null;
  readonly userId?: string | null;
  /** Added to the resource's metadata. */
  readonly metadata?: Readonly<Record<string, unknown>> | JsonObject;
  /** Only for pollsters whose meters are `dynamic`. */
  readonly type?: SampleType;
  readonly unit?: string | null;
}

export interface PollContext<Options> extends PluginContext<Options> {
  /** Aborts when the poll's time is over; stop then. */
  readonly signal: AbortSignal;
  /** Tells that one resource could not be read; the others go on. Counted in the cycle report. */
  readonly report: (resource: Resource, cause: unknown) => void;
}

/** Reads meters on the interval. */
export interface Pollster<Options = unknown, R extends Resource = Resource> {
  readonly kind: 'pollster';
  readonly name: string;
  readonly contract: number;
  readonly options?: OptionsSchema<Options>;
  readonly enabled?: Enabled<Options>;
  /** What it reads, by meter name; `dynamic` when only a poll can tell, each reading then names type and unit. */
  readonly meters: Readonly<Record<string, MeterDescription>> | 'dynamic';
  /**
   * Where its resources come from: the name of a discovery (`name` or `name://parameter`), or its own function, called
   * before each poll and part of it: what it has read already may be yielded by the poll that follows. `local-node` gives
   * one resource, this node. Return all resources or throw; never return half.
   */
  readonly discovery: string | ((context: PollContext<Options>) => Promise<readonly R[]> | readonly R[]);
  /**
   * Called once a tick with all resources; never while the previous call still runs. Yields readings in any order.
   * When it throws, what it yielded before still counts and the rest is reported as failed.
   */
  poll(resources: readonly R[], context: PollContext<Options>): AsyncIterable<Reading<R>> | Iterable<Reading<R>>;
  /** Called once at the end. */
  close?(): Promise<void> | void;
}

/** Lists resources for pollsters that name it. */
export interface Discovery<Options = unknown, R extends Resource = Resource> {
  readonly kind: 'discovery';
  readonly name: string;
  readonly contract: number;
  readonly options?: OptionsSchema<Options>;
  readonly enabled?: Enabled<Options>;
  /** `parameter` is what stands behind `name://`; null without. Return all resources or throw; never return half. */
  discover(parameter: string | null, context: PollContext<Options>): Promise<readonly R[]> | readonly R[];
  close?(): Promise<void> | void;
}

/** A notification of another service, as a listener sees it. */
export interface Notification {
  readonly eventType: string;
  /** `service.host` */
  readonly publisherId: string;
  /** Upper case: `INFO`, `SAMPLE`, `ERROR`, ... */
  readonly priority: string;
  /** Id and time (`2016-04-13 09:51:24.512345`, UTC) of the notification. */
  readonly metadata: { readonly message_id: string; readonly timestamp: string };
  /** Plain JSON; numbers are doubles. */
  readonly payload: Readonly<Record<string, unknown>>;
  /** Request context: `user_id`, `project_id`, ... */
  readonly ctxt: Readonly<Record<string, unknown>>;
  /** `{ctxt, publisher_id, event_type, payload, metadata}` with every number as it was spelled. */
  readonly exact: JsonObject;
}

/** A sample that a listener makes of a notification; its id and signature are added by the collector. */
export interface NotificationSample {
  readonly meter: string;
  readonly type: SampleType;
  readonly unit: string | null;
  readonly volume: number | bigint | string;
  readonly resourceId: string;
  readonly projectId?: string | null;
  readonly userId?: string | null;
  /** ISO 8601 text; default the notification's time. */
  readonly timestamp?: string;
  readonly metadata?: Readonly<Record<string, unknown>> | JsonObject;
}

/** Turns notifications of other services into samples. */
export interface Listener<Options = unknown> {
  readonly kind: 'listener';
  readonly name: string;
  readonly contract: number;
  readonly options?: OptionsSchema<Options>;
  readonly enabled?: Enabled<Options>;
  /** Event types it wants: globs (`compute.instance.*`) or regular expressions matched at the start. */
  readonly eventTypes:
    | readonly (string | RegExp)[]
    | ((context: PluginContext<Options>) => readonly (string | RegExp)[] | Promise<readonly (string | RegExp)[]>);
  /** Exchanges and topics beside the configured ones. */
  readonly exchanges?: readonly string[];
  readonly topics?: readonly string[];
  /**
   * Called once a notification of its event types; the same notification may come again after a crash, and must then
   * give the same samples in the same order. When it throws, the notification is quarantined with the reason.
   */
  onNotification(
    notification: Notification,
    context: PluginContext<Options>,
  ): Promise<readonly NotificationSample[]> | readonly NotificationSample[];
  close?(): Promise<void> | void;
}

export type Plugin = Pollster<never, never> | Discovery<never, never> | Listener<never>;

/** Gives a pollster its types; adds the kind. */
export function definePollster<Options, R extends Resource = Resource>(
  pollster: Omit<Pollster<Options, R>, 'kind'>,
): Pollster<Options, R> {
  return { ...pollster, kind: 'pollster' };
}

export function defineDiscovery<Options, R extends Resource = Resource>(
  discovery: Omit<Discovery<Options, R>, 'kind'>,
): Discovery<Options, R> {
  return { ...discovery, kind: 'discovery' };
}

export function defineListener<Options>(listener: Omit<Listener<Options>, 'kind'>): Listener<Options> {
  return { ...listener, kind: 'listener' };
}
