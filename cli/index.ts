export { compose, DEFAULT_PORTS, ROLES } from './compose.ts';
export type { Composition, Role } from './compose.ts';
export { sampleConfig } from './config-sample.ts';
export { createProgram } from './program.ts';
export { ENVIRONMENT, loadSettings } from './settings.ts';
