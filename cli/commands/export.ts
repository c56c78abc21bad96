import { join } from 'node:path';
import { exportSchemas } from '@nephometer/api';
import type { ExportManifestAnswer, ExportPartitionAnswer, ExportPlanAnswer } from '@nephometer/api';
import { Option } from 'commander';
import type { Command } from 'commander';
import { EXIT_CODES, messageOf, parseDuration, USAGE_KINDS } from '@nephometer/core';
import { ApiClient, ApiError } from '../client.ts';
import type { ClientFlags } from '../client.ts';
import { asClient, print, repeated, wholeNumber } from '../command.ts';
import { loadExport, MANIFEST } from '../export/load.ts';
import type { LoadWatch } from '../export/load.ts';
import { grouped, ProgressLine, sizeText } from '../export/progress.ts';
import { questionFields, withQuestion } from '../question.ts';
import type { QuestionFlags } from '../question.ts';
import { addExportList } from './export-list.ts';

interface ExportFlags extends ClientFlags, QuestionFlags {
  readonly definition?: readonly string[];
  readonly meter?: string;
  readonly kind?: string;
  readonly format: string;
  readonly shape: string;
  readonly partition: string;
  readonly partRows: number;
  readonly region?: string;
  readonly guardFormulas?: boolean;
  readonly out: string;
  readonly retryFor: string;
  readonly json?: boolean;
}

/** `export usage`: usage of a period as files that a biller can load and check; `export list`: those asked for. */
export function addExport(program: Command): void {
  const group = program.command('export').description('files that other systems load');
  const usage = asClient(
    group.command('usage').description('usage of a period, in files with a manifest; goes on where it was stopped'),
  )
    .requiredOption('-o, --out <folder>', 'where the files go: a new folder, or one where this export was begun')
    .option('-d, --definition <name>', 'named quantity; repeat for more; default: all', repeated)
    .option('--meter <name>', 'a meter instead, with --kind')
    .addOption(new Option('-k, --kind <kind>', 'what is asked of the meter').choices([...USAGE_KINDS]));
  withQuestion(usage, { from: null, to: null, asOf: 'the newest settled one', window: 'day' })
    .addOption(formatOption('--format <format>', 'of the files', exportSchemas.EXPORT_FORMATS, 'csv'))
    .addOption(
      formatOption('--shape <shape>', 'of the rows: usage lines, or FOCUS 1.2', exportSchemas.EXPORT_SHAPES, 'usage'),
    )
    .addOption(formatOption('--partition <by>', 'local days or months', exportSchemas.PARTITIONS, 'day'))
    .option('--part-rows <rows>', 'most rows of one file', wholeNumber, 50_000)
    .option('--region <name>', 'RegionId of FOCUS rows')
    .option('--guard-formulas', "in CSV, ' before texts that a spreadsheet would take for a formula")
    .option('--retry-for <duration>', 'how long a server that is away is asked again', '2m')
    .option('--json', 'progress as lines of JSON on the standard output')
    .action(exportUsage);
  addExportList(group);
}

function formatOption(flags: string, description: string, choices: readonly string[], fallback: string): Option {
  return new Option(flags, description).choices([...choices]).default(fallback);
}

async function exportUsage(flags: ExportFlags): Promise<void> {
  const client = new ApiClient(flags, 600_000);
  const request = requestOf(flags);
  const retryForMs = durationMs(flags.retryFor);
  const stop = new AbortController();
  const onSignal = (): void => stop.abort(new Error('stopped'));
  const line = new ProgressLine(process.stderr);
  const watch = flags.json === true ? jsonWatch() : { ...watchOf(line), waiting: line.waiting.bind(line) };
  process.once('SIGINT', onSignal).once('SIGTERM', onSignal);
  try {
    const manifest = await loadExport(request, {
      client,
      folder: flags.out,
      watch,
      signal: stop.signal,
      retryForMs,
      onWait: watch.waiting,
    });
    line.end();
    if (flags.json === true) event('done', { manifest: join(flags.out, MANIFEST), ...summaryOf(manifest) });
    else print(summaryText(flags.out, manifest));
  } catch (cause) {
    line.end();
    throw stop.signal.aborted ? interrupted(flags.out) : resumable(cause, flags.out);
  } finally {
    process.off('SIGINT', onSignal).off('SIGTERM', onSignal);
  }
}

function requestOf(flags: ExportFlags): Record<string, unknown> {
  const fields = {
    definitions: flags.definition,
    meter: flags.meter,
    kind: flags.kind,
    ...questionFields(flags),
    format: flags.format,
    shape: flags.shape,
    partition: flags.partition,
    part_rows: flags.partRows,
    region: flags.region,
    guard_formulas: flags.guardFormulas,
  };
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}

function durationMs(text: string): number {
  try {
    return parseDuration(text) / 1000;
  } catch (cause) {
    throw new ApiError(`--retry-for: ${messageOf(cause)}`, EXIT_CODES.usage.code);
  }
}

function interrupted(folder: string): ApiError {
  return new ApiError(`Stopped. The same command goes on with ${folder}.`, EXIT_CODES.interrupted.code);
}

function resumable(cause: unknown, folder: string): unknown {
  if (!(cause instanceof ApiError) || cause.exitCode !== EXIT_CODES.unavailable.code) return cause;
  const message = `${cause.message}\nWhat is in ${folder} stays: the same command goes on with it.`;
  return new ApiError(message, cause.exitCode);
}

type Watch = LoadWatch & { readonly waiting: (why: string, waitMs: number) => void };

function watchOf(line: ProgressLine): LoadWatch {
  return {
    started: line.started.bind(line),
    received: line.received.bind(line),
    damaged: line.damaged.bind(line),
    finished: line.finished.bind(line),
  };
}

function event(name: string, fields: Readonly<Record<string, unknown>>): void {
  print(`${JSON.stringify({ event: name, ...fields })}\n`);
}

function jsonWatch(): Watch {
  let done = 0;
  let partitions = 0;
  return {
    started: ({ id, as_of, partitions: all }: ExportPlanAnswer, isResumed) => {
      partitions = all.length;
      event('started', { id, as_of, partitions, resumed: isResumed });
    },
    received: () => undefined,
    damaged: (file) => event('damaged', { file }),
    finished: ({ name, rows, bytes, parts }: ExportPartitionAnswer, isKept) => {
      done += 1;
      event('partition', { name, rows, bytes, files: parts.length, kept: isKept, done, partitions });
    },
    waiting: (why, waitMs) => event('waiting', { why, wait_ms: waitMs }),
  };
}

function summaryOf({ id, rows, bytes, totals, completeness, digest, as_of }: ExportManifestAnswer) {
  return { id, as_of, rows, bytes, totals, completeness, digest };
}

function summaryText(folder: string, manifest: ExportManifestAnswer): string {
  const { rows, bytes, totals, completeness, partitions, as_of: asOf } = manifest;
  const files = partitions.reduce((sum, { parts }) => sum + parts.length, 0);
  const { part, unknown, lowest_coverage: lowest } = completeness;
  const sums = totals.map((total) => {
    const { definition, quantity, unit, lower, upper } = total;
    const bounds = lower === quantity && upper === quantity ? '' : `, from ${lower ?? '?'} to ${upper ?? '?'}`;
    return `${definition}: ${quantity} ${unit ?? ''} in ${grouped(total.rows)} rows${bounds}\n`;
  });
  const gaps =
    part + unknown === 0
      ? ''
      : `${grouped(part)} rows were measured in part (least coverage ${lowest ?? 'not known'}), ` +
        `of ${grouped(unknown)} nothing is known\n`;
  return (
    `${sums.join('')}${gaps}${grouped(rows)} rows in ${grouped(files)} files, ${sizeText(bytes)}, as of ${asOf}: ` +
    `${join(folder, MANIFEST)}\n`
  );
}
