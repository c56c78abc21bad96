import type { Command } from 'commander';
import { Option } from 'commander';
import {
  EXIT_CODES,
  messageOf,
  parseVolume,
  SAMPLE_TYPES,
  stringifyJson,
  JsonNumber,
  fromPlain,
} from '@nephometer/core';
import type { JsonValue } from '@nephometer/core';
import { ApiClient, ApiError } from '../client.ts';
import type { ClientFlags } from '../client.ts';
import { asClient, print } from '../command.ts';

interface SendFlags extends ClientFlags {
  readonly meter: string;
  readonly type: string;
  readonly unit: string;
  readonly volume: string;
  readonly resource: string;
  readonly project?: string;
  readonly user?: string;
  readonly timestamp?: string;
  readonly metadata?: string;
  readonly direct?: boolean;
}

/** `send-sample`: posts one sample through the API, which signs it. */
export function addSendSample(program: Command): void {
  asClient(program.command('send-sample').description('post one sample; the API signs and records it'))
    .requiredOption('-m, --meter <name>', 'meter name')
    .addOption(new Option('-t, --type <type>', 'meter type').choices([...SAMPLE_TYPES]).makeOptionMandatory())
    .requiredOption('-u, --unit <unit>', 'unit of the volume')
    .requiredOption('--volume <number>', 'the value, exact')
    .requiredOption('-r, --resource <id>', 'what was measured')
    .option('--project <id>', 'who pays; default: the project of the token')
    .option('--user <id>', 'user')
    .option('--timestamp <time>', 'when it was true, ISO 8601, UTC without an offset; default: now')
    .option('--metadata <json>', 'metadata of the resource, a JSON object')
    .option('--direct', 'store at once, not by way of the bus')
    .action(async (flags: SendFlags) => {
      const path = `/v2/meters/${encodeURIComponent(flags.meter)}${flags.direct === true ? '?direct=True' : ''}`;
      const answer = await new ApiClient(flags).post<{ message_id: string }[]>(path, sampleBody(flags));
      print(`${answer.map(({ message_id }) => message_id).join('\n')}\n`);
    });
}

function sampleBody(flags: SendFlags): string {
  const optional: [string, JsonValue | undefined][] = [
    ['project_id', flags.project],
    ['user_id', flags.user],
    ['timestamp', flags.timestamp],
    ['resource_metadata', flags.metadata === undefined ? new Map() : metadataOf(flags.metadata)],
  ];
  const fields: [string, JsonValue][] = [
    ['counter_name', flags.meter],
    ['counter_type', flags.type],
    ['counter_unit', flags.unit],
    ['counter_volume', new JsonNumber(volumeOf(flags.volume))],
    ['resource_id', flags.resource],
    ...optional.filter((pair): pair is [string, JsonValue] => pair[1] !== undefined),
  ];
  return stringifyJson([new Map(fields)]);
}

function volumeOf(text: string): string {
  try {
    return parseVolume(text).literal;
  } catch (cause) {
    throw new ApiError(`--volume: ${messageOf(cause)}`, EXIT_CODES.usage.code);
  }
}

function metadataOf(text: string): JsonValue {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return fromPlain(value);
    throw new TypeError('it is not an object');
  } catch (cause) {
    throw new ApiError(
      `--metadata must be a JSON object such as '{"flavor": "m1.tiny"}': ${messageOf(cause)}`,
      EXIT_CODES.usage.code,
    );
  }
}
