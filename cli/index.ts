export { compose, DEFAULT_PORTS, ROLES } from './compose.ts';
export type { Composition, Role } from './compose.ts';
export { sampleConfig } from './config-sample.ts';
export { createProgram } from './program.ts';
export { configSchema, isSection } from './schema-walk.ts';
export type { SchemaNode } from './schema-walk.ts';
export { ownSecretFile } from './secret.ts';
export { StatementSchedules } from './statement-schedule.ts';
