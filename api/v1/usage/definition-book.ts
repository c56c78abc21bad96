import { DEFAULT_DEFINITIONS, definitionHash, UsageDefinition } from '@nephometer/core';
import type { Config, Entry, Logger, Micros, Store } from '@nephometer/core';
import { z } from 'zod';
import { badRequest } from '../../errors.ts';
import type { KnownDefinition } from './question.ts';

/** The entry of kind `definition`: what a name stands for from its `recorded_at` on. Its id is the name. */
const DefinitionEntry = z.strictObject({
  /** Null: the name is not used any more. */
  definition: UsageDefinition.nullable(),
  /** Microseconds: makes the same definition, taken up again, another entry. */
  at: z.int(),
});

interface Standing {
  readonly recordedAt: Micros;
  readonly definition: UsageDefinition | null;
}

/** Definitions by name, as they stood at any moment: the store keeps every one that was ever in force. */
export class DefinitionBook {
  readonly #configured: ReadonlyMap<string, UsageDefinition>;
  readonly #store: Store;
  readonly #now: () => Micros;
  readonly #log: Logger;
  #registered: Promise<void> | null = null;

  constructor(config: Config['usage'], store: Store, now: () => Micros, log: Logger) {
    const all = [...(config.default_definitions ? DEFAULT_DEFINITIONS : []), ...config.definitions];
    this.#configured = new Map(all.map((definition) => [definition.name, definition]));
    this.#store = store;
    this.#now = now;
    this.#log = log;
  }

  /** Those in force, by name. One that was named for the first time later than `asOf` counts as in force before, too. */
  async list(asOf: Micros): Promise<KnownDefinition[]> {
    const known = await this.#standing();
    return [...known.keys()].sort().flatMap((name) => inForce(known.get(name) ?? [], asOf) ?? []);
  }

  /** @throws HttpError 400 for a name that is not in force at that moment */
  async find(name: string, asOf: Micros): Promise<KnownDefinition> {
    const found = inForce((await this.#standing()).get(name) ?? [], asOf);
    if (found !== null) return found;
    const names = (await this.list(asOf)).map(({ definition }) => definition.name).join(', ');
    throw badRequest(`definition: found ${JSON.stringify(name.slice(0, 60))}; one of these would be right: ${names}.`);
  }

  /** By name, in order of recording. */
  async #standing(): Promise<Map<string, Standing[]>> {
    this.#registered ??= this.#register().catch((cause: unknown) => {
      this.#registered = null;
      throw cause;
    });
    await this.#registered;
    return standingOf(await this.#store.entries({ kind: 'definition' }));
  }

  /** Writes down what the configuration says now, where it differs from what was written last. */
  async #register(): Promise<void> {
    const known = standingOf(await this.#store.entries({ kind: 'definition' }));
    for (const name of new Set([...known.keys(), ...this.#configured.keys()])) {
      const definition = this.#configured.get(name) ?? null;
      const newest = known.get(name)?.at(-1)?.definition;
      const isSame = newest !== undefined && hashOf(newest) === hashOf(definition);
      if (isSame) continue;
      const body = JSON.stringify({ definition, at: this.#now() });
      await this.#store.appendEntry({ kind: 'definition', id: name, body });
      if (newest !== undefined)
        this.#log.info({ definition: name, hash: hashOf(definition) }, 'A usage definition changed.');
    }
  }
}

function hashOf(definition: UsageDefinition | null): string | null {
  return definition === null ? null : definitionHash(definition);
}

function standingOf(entries: readonly Entry[]): Map<string, Standing[]> {
  const byName = new Map<string, Standing[]>();
  for (const { id, body, recordedAt } of entries.toReversed()) {
    const read = DefinitionEntry.safeParse(JSON.parse(body));
    if (!read.success) continue;
    byName.set(id, [...(byName.get(id) ?? []), { recordedAt, definition: read.data.definition }]);
  }
  return byName;
}

function inForce(standing: readonly Standing[], asOf: Micros): KnownDefinition | null {
  const found = standing.findLast(({ recordedAt }) => recordedAt <= asOf) ?? standing[0];
  if (found === undefined || found.definition === null) return null;
  return { definition: found.definition, hash: definitionHash(found.definition), since: found.recordedAt };
}
