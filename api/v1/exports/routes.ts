import type { Route } from '../route.ts';
import {
  createExport,
  listExports,
  showExport,
  showExportManifest,
  showExportPart,
  showExportPartition,
} from './exports.ts';
import {
  ExportManifestAnswer,
  ExportPartitionAnswer,
  ExportPlanAnswer,
  ExportRequest,
  ExportsAnswer,
  ExportsQuery,
} from './schemas.ts';

const PARAMS = { id: 'Of the export.' };
const ID = '9d2f0c3f1c5c4d0f8a7b6e5d4c3b2a19';
const COMMON = {
  tag: 'usage',
  roles: ['admin', 'reader'],
  errors: ['MTR_NOT_FOUND', 'MTR_EXPORT_OUTDATED', 'MTR_BEHIND_RETENTION', 'MTR_TOO_MUCH', 'MTR_EXPORT_DECIMAL'],
} as const;

const CREATE_EXPORT: Route = {
  ...COMMON,
  method: 'post',
  path: '/v1/exports',
  operationId: 'createExport',
  summary: 'Pins a question and a moment, for files that never change',
  description:
    'Answers at once: files are made when they are asked for, and made again to the same bytes. The same question as of ' +
    'the same moment has the same id. `nephometer export usage` loads an export into a folder.',
  body: ExportRequest,
  answer: { status: 201, schema: ExportPlanAnswer },
  errors: ['MTR_BEHIND_RETENTION', 'MTR_TOO_MUCH'],
  example: {
    body: { definitions: ['instance_hours'], from: '2026-03-01', to: '2026-04-01', format: 'parquet', shape: 'focus' },
  },
  handle: createExport,
};

const LIST_EXPORTS: Route = {
  ...COMMON,
  method: 'get',
  path: '/v1/exports',
  operationId: 'listExports',
  summary: 'Exports that were asked for, newest first',
  description: 'A reader sees those of its own projects.',
  query: ExportsQuery,
  answer: { schema: ExportsAnswer },
  errors: [],
  pages: { items: 'exports', cursor: 'cursor', each: 'eachExport' },
  handle: listExports,
};

const SHOW_EXPORT: Route = {
  ...COMMON,
  method: 'get',
  path: '/v1/exports/:id',
  operationId: 'showExport',
  summary: 'What an export is of, and its partitions',
  params: PARAMS,
  answer: { schema: ExportPlanAnswer },
  example: { params: { id: ID } },
  handle: showExport,
};

const SHOW_EXPORT_MANIFEST: Route = {
  ...COMMON,
  method: 'get',
  path: '/v1/exports/:id/manifest',
  operationId: 'showExportManifest',
  summary: 'Every file of an export with rows, bytes and SHA-256, and control totals over all',
  description: 'Makes every partition once, so for large exports it takes its time; it comes while it is made.',
  params: PARAMS,
  answer: { schema: ExportManifestAnswer },
  example: { params: { id: ID } },
  handle: showExportManifest,
};

const SHOW_EXPORT_PARTITION: Route = {
  ...COMMON,
  method: 'get',
  path: '/v1/exports/:id/partitions/:name',
  operationId: 'showExportPartition',
  summary: 'The files of one partition, as the manifest has them',
  params: { ...PARAMS, name: 'Of the partition: `2026-03-01`.' },
  answer: { schema: ExportPartitionAnswer },
  example: { params: { id: ID, name: '2026-03-01' } },
  handle: showExportPartition,
};

const SHOW_EXPORT_PART: Route = {
  ...COMMON,
  method: 'get',
  path: '/v1/exports/:id/parts/:file',
  operationId: 'showExportPart',
  summary: 'The bytes of one file: those of its SHA-256, whenever they are asked for',
  params: { ...PARAMS, file: 'As the manifest names it: `2026-03-01.0001.csv`.' },
  answer: {
    schema: null,
    types: {
      'text/csv': 'RFC 4180, with a header row.',
      'application/x-ndjson': 'One object a row.',
      'application/vnd.apache.parquet': 'Decimals are DECIMAL(38, 12), times TIMESTAMP of UTC.',
    },
  },
  example: { params: { id: ID, file: '2026-03-01.0001.parquet' } },
  handle: showExportPart,
};

export const EXPORT_ROUTES: readonly Route[] = [
  CREATE_EXPORT,
  LIST_EXPORTS,
  SHOW_EXPORT,
  SHOW_EXPORT_MANIFEST,
  SHOW_EXPORT_PARTITION,
  SHOW_EXPORT_PART,
];
