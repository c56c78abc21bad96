export * from './evidence.ts';
export * from './facts.ts';
export * from './statement.ts';
export * from './verify.ts';
