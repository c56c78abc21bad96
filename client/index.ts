export { NephometerClient, OPERATIONS } from './generated.ts';
export type * from './generated.ts';
export { NephometerError } from './problem.ts';
export type { ProblemBody } from './problem.ts';
export type { CallOptions, ClientOptions, OperationShape } from './transport.ts';
