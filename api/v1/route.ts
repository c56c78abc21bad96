import type { Role } from '@nephometer/core';
import type { ZodObject, ZodType } from 'zod';
import { allow } from '../auth.ts';
import type { ApiOptions, ApiRouter, Handler } from '../context.ts';
import type { ErrorCode } from '../openapi/errors.ts';

/** How operations are grouped, in the order in which the page shows them. */
export const TAGS = {
  usage: 'What was used, by whom, as it was known at any moment, with its gaps.',
  statements: 'Closed periods: frozen, signed, and checked away from here.',
  inventory: 'What should have been measured, and how it compares with what was.',
  samples: 'Readings as they were signed and stored, and the evidence for each.',
  ledger: 'One row a batch: what was recorded, when, and from whom.',
  agents: 'Who measures, who fell silent, and with which keys they sign.',
  quarantine: 'What was refused, and why.',
  tokens: 'Who may ask.',
  about: 'This API.',
} as const;
export type Tag = keyof typeof TAGS;

/** A list that goes on: the answer's `next` is given back in a parameter until it is null. */
export interface Pages {
  /** The answer's property with the rows. */
  readonly items: string;
  /** The parameter that takes `next`. */
  readonly cursor: string;
  /** What the client calls its loop over all rows: `eachSample`. */
  readonly each: string;
}

/**
 * One route of /v1: what the router needs, and what the OpenAPI document says of it. The schemas are those that
 * validate, so the document cannot say anything else than the server does.
 */
export interface Route {
  readonly method: 'get' | 'post' | 'put' | 'delete';
  /** In the router's notation: `/v1/samples/:message_id`. */
  readonly path: `/v1/${string}`;
  /** A verb and its object, unique: the method's name in clients. */
  readonly operationId: string;
  readonly tag: Tag;
  /** One line without a full stop. */
  readonly summary: string;
  /** Markdown: code and emphasis only. */
  readonly description?: string;
  /** Who may; `any`: whoever has a token; `open`: whoever. */
  readonly roles: readonly Role[] | 'any' | 'open';
  /** What each parameter of the path is. */
  readonly params?: Readonly<Record<string, string>>;
  readonly query?: ZodObject;
  readonly body?: ZodType;
  readonly answer: RouteAnswer;
  /** A request as an example; a test reads it by the schemas. */
  readonly example?: RouteExample;
  /** Beside those that every route may answer. */
  readonly errors?: readonly ErrorCode[];
  readonly pages?: Pages;
  /** Null where this process does not serve it. */
  readonly handle: (options: ApiOptions) => Handler | null;
}

export interface RouteExample {
  readonly params?: Readonly<Record<string, string>>;
  /** `meter=cpu&limit=10` */
  readonly query?: string;
  readonly body?: unknown;
}

export interface RouteAnswer {
  /** 200 if missing. */
  readonly status?: number;
  /** Null: no body, or none of JSON where there are other types. */
  readonly schema: ZodType | null;
  /** Other media types than JSON that Accept can name, and what they hold. */
  readonly types?: Readonly<Record<string, string>>;
  /** An answer as the server gives it; a test reads it by the schema. */
  readonly example?: unknown;
}

export function addRoute(router: ApiRouter, route: Route, options: ApiOptions): void {
  const handler = route.handle(options);
  if (handler === null) return;
  const { method, path, roles } = route;
  if (typeof roles === 'string') router[method](path, handler);
  else router[method](path, allow(...roles), handler);
}
