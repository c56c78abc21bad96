import { isDeepStrictEqual } from 'node:util';
import { PluginError } from '../../errors.ts';
import type { OptionsSchema, PluginContext, PluginLog } from '../contract.ts';
import { checkOptions } from '../loader.ts';

/** What a test may say about the node that the plugin believes to run on. */
export interface PluginSetting {
  /** Name of the node. Default `node-1`. */
  readonly host?: string;
  /** The whole configuration as the plugin sees it. Default: empty. */
  readonly config?: Readonly<Record<string, unknown>>;
  /** Where its log goes. Default: nowhere; see `recordLog`. */
  readonly log?: PluginLog;
}

export interface LogLine {
  readonly level: 'debug' | 'info' | 'warn' | 'error';
  readonly fields: Readonly<Record<string, unknown>>;
  readonly sentence: string;
}

export interface RecordedLog extends PluginLog {
  readonly lines: readonly LogLine[];
}

/** A log that keeps its lines. */
export function recordLog(): RecordedLog {
  const lines: LogLine[] = [];
  const at = (level: LogLine['level']) => (fields: LogLine['fields'], sentence: string) =>
    void lines.push({ level, fields, sentence });
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

/** The parts that every kind of plugin has. */
export interface AnyKind<Options> {
  readonly name: string;
  readonly options?: OptionsSchema<Options>;
  readonly enabled?: (context: PluginContext<Options>) => true | string | Promise<true | string>;
}

/**
 * The context that a plugin gets for options as a user writes them.
 * @throws PluginError when the options are refused, or when the plugin says that it is of no use here
 */
export async function contextFor<Options>(
  plugin: AnyKind<Options>,
  options: unknown = {},
  setting: PluginSetting = {},
): Promise<PluginContext<Options>> {
  const checked = await checkOptions(plugin.options, options);
  if ('problems' in checked) {
    const listed = checked.problems.map(({ path, message }) => `${path.map(String).join('.') || '(all)'}: ${message}`);
    throw new PluginError(`Options of ${plugin.name}: ${listed.join('; ')}`);
  }
  const context: PluginContext<Options> = {
    options: checked.options as Options,
    host: setting.host ?? 'node-1',
    config: setting.config ?? {},
    log: setting.log ?? recordLog(),
  };
  const useful = (await plugin.enabled?.(context)) ?? true;
  if (useful !== true) throw new PluginError(`${plugin.name} is of no use here: ${useful}`);
  return context;
}

/** What is wrong with the schema of the options: findings, in the words of someone who has to repair it. */
export async function optionFindings(
  plugin: { readonly options?: OptionsSchema<unknown> },
  options: unknown,
): Promise<string[]> {
  const schema = plugin.options;
  if (schema === undefined) return [];
  const standard: unknown = schema['~standard'];
  if (typeof standard !== 'object' || standard === null || typeof schema['~standard'].validate !== 'function') {
    return ['options: is not a Standard Schema; a zod 4 schema is one'];
  }
  const findings: string[] = [];
  const given = structuredClone(options ?? {});
  const unknownKey = await checkOptions(schema, { ...given, 'no-such-option': 1 });
  if (!('problems' in unknownKey)) {
    findings.push(
      'options: takes the unknown key "no-such-option"; refuse unknown keys (z.strictObject), or a typing error goes unseen',
    );
  }
  if (!isDeepStrictEqual(given, options ?? {})) findings.push('options: the schema changes the value that it is given');
  return findings;
}
