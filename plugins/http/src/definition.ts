import type { SampleType } from '@nephometer/core/plugin';
import type { Path } from './path.ts';

export type HandlerName = 'json' | 'xml' | 'text';

/** Where the answers of a definition come from. */
export type Origin =
  /** `url` is a path below the endpoint that a type names, or a full URL without one. */
  | {
      readonly kind: 'http';
      readonly endpointType: string | null;
      readonly url: string;
      readonly auth: string | null;
      readonly headers: Readonly<Record<string, string>>;
    }
  | { readonly kind: 'command'; readonly command: string };

/** `[list].field` with `{key}` in the name: one reading for each member of the list. */
export interface Members {
  readonly list: Path;
  /** Key of a member whose value stands in for `{key}`. */
  readonly nameKey: string;
}

/** One pollster as a definition file describes it, checked. */
export interface Definition {
  /** With `{key}` at its end for several meters. */
  readonly name: string;
  /** File and line, for messages. */
  readonly place: string;
  readonly type: SampleType;
  readonly unit: string;
  readonly origin: Origin;
  readonly members: Members | null;
  readonly value: Path;
  readonly metadata: readonly { readonly name: string; readonly path: Path }[];
  readonly metadataMapping: ReadonlyMap<string, string>;
  readonly preserveMapped: boolean;
  /** Numbers as they are spelled. */
  readonly valueMapping: ReadonlyMap<string, string>;
  readonly defaultValue: string;
  /** Values, as text, that are left out. */
  readonly skip: readonly string[];
  readonly entries: Path | null;
  readonly resourceId: Path;
  /** Null: an attribute of its usual name if the entry has one; a path that was written must be there. */
  readonly userId: Path | null;
  readonly projectId: Path | null;
  readonly next: Path | null;
  readonly timeoutMs: number;
  readonly handlers: readonly HandlerName[];
}

/** The resource that a definition's failures are told of: its endpoint. */
export function endpointOf({ origin }: Definition): string {
  if (origin.kind === 'command') return 'host_command';
  return origin.endpointType ?? new URL(origin.url).origin;
}
