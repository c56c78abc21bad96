export * from './evidence.ts';
export * from './facts.ts';
export { VERIFY_CHECKS } from './report.ts';
export type { VerifyCheck, VerifyLine, VerifyReport, VerifyResolution } from './report.ts';
export * from './statement.ts';
export * from './verify.ts';
