import { cutWindows, DAY, formatInstant, SECOND } from '@nephometer/core';
import type { Micros, Period, UsageQuery } from '@nephometer/core';
import { badRequest } from '../../errors.ts';
import { focusUnit } from './focus-unit.ts';
import { column, ofShape } from './table.ts';
import type { Cell, ExportColumn, RowSource } from './table.ts';

export const FOCUS_VERSION = '1.2';

/** Columns of FOCUS 1.2 that stand on a price, a contract or an invoice; a rater adds them. */
const LEFT_TO_RATER = [
  'BilledCost',
  'BillingAccountId',
  'BillingAccountName',
  'BillingAccountType',
  'BillingCurrency',
  'CapacityReservationId',
  'CapacityReservationStatus',
  'CommitmentDiscountCategory',
  'CommitmentDiscountId',
  'CommitmentDiscountName',
  'CommitmentDiscountQuantity',
  'CommitmentDiscountStatus',
  'CommitmentDiscountType',
  'CommitmentDiscountUnit',
  'ContractedCost',
  'ContractedUnitPrice',
  'EffectiveCost',
  'InvoiceId',
  'InvoiceIssuerName',
  'ListCost',
  'ListUnitPrice',
  'PricingCategory',
  'PricingCurrency',
  'PricingCurrencyContractedUnitPrice',
  'PricingCurrencyEffectiveCost',
  'PricingCurrencyListUnitPrice',
  'PricingQuantity',
  'PricingUnit',
  'ProviderName',
  'PublisherName',
  'RegionName',
  'ServiceName',
  'ServiceSubcategory',
  'SkuId',
  'SkuPriceDetails',
  'SkuPriceId',
  'SubAccountType',
];

/** Before the keys of Tags, since the provider sets them and not the user. */
const TAG_PREFIX = 'nephometer/';

/** Group fields that have a column of their own; the others are Tags. */
const NAMED: Readonly<Record<string, readonly string[]>> = {
  SubAccountId: ['project_id'],
  SubAccountName: ['metadata.project_name', 'metadata.tenant_name'],
  ResourceId: ['resource_id'],
  ResourceName: ['metadata.display_name', 'metadata.name'],
  RegionId: ['metadata.region', 'metadata.region_name'],
  AvailabilityZone: ['metadata.availability_zone', 'metadata.OS-EXT-AZ:availability_zone'],
  x_UserId: ['user_id'],
  x_Source: ['source'],
};
const PLACED = new Set(Object.values(NAMED).flat());

/** By the beginning of the meter's name: what is measured, and the kind of service it belongs to. */
const KINDS: readonly (readonly [begins: string, resource: string, category: string])[] = [
  ['volume', 'Volume', 'Storage'],
  ['snapshot', 'Snapshot', 'Storage'],
  ['image', 'Image', 'Storage'],
  ['storage', 'Object Store', 'Storage'],
  ['ip.floating', 'Floating IP Address', 'Networking'],
  ['network.', 'Network Interface', 'Networking'],
  ['bandwidth', 'Network', 'Networking'],
  ['disk.device', 'Disk', 'Compute'],
  ['hardware', 'Host', 'Compute'],
  ['vcpus', 'Instance', 'Compute'],
  ['memory', 'Instance', 'Compute'],
  ['cpu', 'Instance', 'Compute'],
  ['disk', 'Instance', 'Compute'],
  ['instance', 'Instance', 'Compute'],
];

const GIVEN = { nullable: false };

/** The columns of FOCUS 1.2 that a meter can fill, and our own behind them, each in order of name. */
export function focusColumns(query: UsageQuery, region: string | null, hasEstimate: boolean): ExportColumn[] {
  const billing = billingPeriods(query);
  const text = (name: string, description: string): ExportColumn =>
    column(name, 'string', (source) => named(name, source), description);
  const own = (name: string, type: ExportColumn['type'], of: string, description: string): ExportColumn =>
    column(name, type, ofShape(of), description);
  const kindOf = ({ definition }: RowSource) => KINDS.find(([begins]) => definition.meter.startsWith(begins));
  const typeOf = (source: RowSource): string => kindOf(source)?.[1] ?? firstWord(source.definition.meter);
  return [
    text('AvailabilityZone', 'From metadata.availability_zone, where it is grouped by.'),
    column(
      'BillingPeriodEnd',
      'timestamp',
      ({ line }) => formatInstant(billing(line.from).to),
      'End of the month, excluded.',
      GIVEN,
    ),
    column(
      'BillingPeriodStart',
      'timestamp',
      ({ line }) => formatInstant(billing(line.from).from),
      'Start of the month in the zone of the question, or of its anchor.',
      GIVEN,
    ),
    column('ChargeCategory', 'string', () => 'Usage', 'Always Usage.', GIVEN),
    column(
      'ChargeClass',
      'string',
      ({ shape }) => (shape['finality'] === 'adjusted' ? 'Correction' : null),
      'Correction: another quantity than the closed statement of the period has; the row stands in its place.',
    ),
    column('ChargeDescription', 'string', ({ definition }) => definition.description || null, 'What is measured.'),
    column('ChargeFrequency', 'string', () => 'Usage-Based', 'Always Usage-Based.', GIVEN),
    column('ChargePeriodEnd', 'timestamp', ofShape('to'), 'Excluded.', GIVEN),
    column('ChargePeriodStart', 'timestamp', ofShape('from'), 'Included.', GIVEN),
    own('ConsumedQuantity', 'decimal', 'quantity', 'Empty where nothing was read: unknown, which is not zero.'),
    column('ConsumedUnit', 'string', ({ line }) => focusUnit(line.unit), 'As FOCUS writes units.', GIVEN),
    column('RegionId', 'string', (source) => named('RegionId', source) ?? region, 'From metadata.region, or as asked.'),
    text('ResourceId', 'From resource_id.'),
    column(
      'ResourceName',
      'string',
      resourceName,
      'From metadata.display_name or metadata.name, where it is grouped by; empty where it only says the id again.',
    ),
    column(
      'ResourceType',
      'string',
      (source) => (named('ResourceId', source) === null ? null : typeOf(source)),
      'What the meter is of.',
    ),
    column('ServiceCategory', 'string', (source) => kindOf(source)?.[2] ?? 'Other', 'By the meter.', GIVEN),
    column('SkuMeter', 'string', ({ definition }) => definition.name, 'Name of the quantity.', GIVEN),
    text('SubAccountId', 'From project_id.'),
    text('SubAccountName', 'From metadata.project_name, where it is grouped by.'),
    column('Tags', 'string', tagsOf, 'JSON: the other fields of the group.'),
    column('x_AsOf', 'timestamp', ({ asOf }) => formatInstant(asOf), 'The moment that the row is as of.', GIVEN),
    own('x_Basis', 'string', 'basis', 'What coverage stands on.'),
    own('x_Coverage', 'decimal', 'coverage', '0 to 1, of the time in which the resources existed.'),
    column('x_DefinitionHash', 'string', ({ hash }) => hash, 'SHA-256 of what the definition says.', GIVEN),
    ...(hasEstimate ? [own('x_Estimated', 'decimal', 'estimated', 'What it were with the gaps filled.')] : []),
    column('x_Finality', 'string', ofShape('finality'), 'provisional, closed or adjusted.', GIVEN),
    column('x_Gaps', 'integer', ({ line }) => line.gaps.length, 'Number of gaps beneath the row.', GIVEN),
    column('x_LineId', 'string', ofShape('id'), 'Stable id of the line.', GIVEN),
    own('x_Lower', 'decimal', 'lower', 'The least it can be; empty: no bound.'),
    column('x_Resets', 'integer', ofShape('resets'), 'Counter resets.', GIVEN),
    own('x_Revision', 'timestamp', 'revision', 'Newest recorded_at beneath the row.'),
    column('x_Samples', 'integer', ofShape('samples'), 'Samples beneath the row.', GIVEN),
    text('x_Source', 'Source of the samples, where it is grouped by.'),
    own('x_Unit', 'string', 'unit', 'The unit as /v1/usage writes it.'),
    own('x_Upper', 'decimal', 'upper', 'The most it can be; empty: no bound.'),
    text('x_UserId', 'From user_id, where it is grouped by.'),
  ];
}

function named(name: string, { line }: RowSource): Cell {
  for (const field of NAMED[name] ?? []) {
    const value = line.group[field];
    // FOCUS has no empty texts: what has no value is null.
    if (value !== undefined && value !== null && value !== '') return value;
  }
  return null;
}

function resourceName(source: RowSource): Cell {
  const name = named('ResourceName', source);
  return name === named('ResourceId', source) ? null : name;
}

/** Of a meter that is none of ours: `loadbalancer.requests` is of a `Loadbalancer`. */
function firstWord(meter: string): string {
  const [word = ''] = meter.split(/[^a-z0-9]+/i).filter((one) => one !== '');
  return word === '' ? meter : word.charAt(0).toUpperCase() + word.slice(1);
}

function tagsOf({ line }: RowSource): Cell {
  const tags = Object.entries(line.group).filter(([field, value]) => !PLACED.has(field) && value !== null);
  if (tags.length === 0) return null;
  return JSON.stringify(
    Object.fromEntries(tags.map(([field, value]) => [TAG_PREFIX + field.replace(/^metadata\./, ''), value])),
  );
}

/**
 * The month that an instant is billed in: of the calendar, or anchored as the question's billing months are.
 * @throws HttpError 400 where a line would lie in two, or does not begin and end with a second
 */
function billingPeriods(query: UsageQuery): (at: Micros) => Period {
  const { from, to, tz, anchor } = query;
  const window = anchor === undefined ? 'month' : 'billing-month';
  // Wider than the question, so that its first and last month are whole.
  const months = cutWindows({
    from: from - 40 * DAY,
    to: to + 40 * DAY,
    tz,
    window,
    ...(anchor === undefined ? {} : { anchor }),
  });
  const monthOf = (at: Micros): Period => {
    const found = months.find((month) => at >= month.from && at < month.to);
    if (found === undefined) throw new RangeError(`Found ${formatInstant(at)} beside the period of the question.`);
    return found;
  };
  for (const line of cutWindows(query)) {
    if (line.from % SECOND !== 0 || line.to % SECOND !== 0) {
      const detail = `from, to: a line from ${formatInstant(line.from)} to ${formatInstant(line.to)} has parts of a second`;
      throw badRequest(`${detail}, which times of FOCUS have not; whole seconds would be right for shape=focus.`);
    }
    if (line.to <= monthOf(line.from).to) continue;
    const detail = `window: a line from ${formatInstant(line.from)} to ${formatInstant(line.to)} lies in two billing periods`;
    throw badRequest(`${detail}; month, day or hour would be right for shape=focus.`);
  }
  return monthOf;
}

/** FOCUS metadata: who made the data, and what its schema is. */
export function focusMetadata(columns: readonly ExportColumn[], generatorVersion: string, created: Micros) {
  return {
    DataGenerator: { DataGenerator: 'Nephometer' },
    Schema: {
      SchemaId: `nephometer-usage-${FOCUS_VERSION}`,
      FocusVersion: FOCUS_VERSION,
      CreationDate: formatInstant(created),
      DataGeneratorVersion: generatorVersion,
      ColumnDefinition: columns.map(definitionOf),
    },
    left_to_rater: LEFT_TO_RATER,
    note: 'Usage alone: what stands on prices, contracts and invoices is not here and is left to the rater.',
  };
}

function definitionOf({ name, type }: ExportColumn): Record<string, unknown> {
  if (name === 'Tags') return { ColumnName: name, DataType: 'JSON', ProviderTagPrefixes: [TAG_PREFIX] };
  if (type === 'decimal') return { ColumnName: name, DataType: 'DECIMAL', NumericPrecision: 38, NumberScale: 12 };
  if (type === 'integer') return { ColumnName: name, DataType: 'BIGINT' };
  if (type === 'timestamp') return { ColumnName: name, DataType: 'TIMESTAMP' };
  return { ColumnName: name, DataType: 'STRING', StringEncoding: 'UTF-8' };
}
