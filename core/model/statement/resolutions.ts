import { toText } from '../../decimal.ts';
import type { Sample } from '../sample.ts';
import type { EvidenceRecord } from './evidence.ts';
import { Tally, verdict } from './report.ts';
import type { VerifyCheck, VerifyResolution } from './report.ts';

type Of<K extends EvidenceRecord['kind']> = Extract<EvidenceRecord, { kind: K }>;

interface Version {
  readonly batch: string;
  readonly volume: string;
  readonly recordedAt: string;
}

/**
 * Which of several versions of one message counts, and whether the figures follow it: the samples that are carried are
 * computed with, the versions are not. That it was decided so is the issuer's word; what the versions say is as proven as
 * their paths.
 */
export class ResolutionChecks {
  readonly #resolutions = new Map<string, Of<'resolution'>>();
  readonly #versions = new Map<string, Version[]>();
  readonly #counted = new Map<string, Version[]>();

  resolution(record: Of<'resolution'>): void {
    this.#resolutions.set(record.id, record);
  }

  version(record: Of<'version'>, sample: Sample): void {
    push(this.#versions, sample.messageId, versionOf(record, sample));
  }

  sample(record: Of<'sample'>, sample: Sample): void {
    push(this.#counted, sample.messageId, versionOf(record, sample));
  }

  report(): VerifyResolution[] {
    return [...this.#resolutions.values()].map(({ id, keep, by, why, recorded_at }) => ({
      message_id: id,
      keep,
      by,
      why,
      recorded_at,
      counted: this.#counted.get(id)?.find(({ batch }) => batch === keep)?.volume ?? null,
      set_aside: (this.#versions.get(id) ?? []).map(({ batch, volume }) => ({ batch, volume })),
    }));
  }

  check(): VerifyCheck {
    const tally = new Tally();
    for (const resolution of this.#resolutions.values()) this.#judge(resolution, tally);
    for (const id of this.#versions.keys()) {
      if (!this.#resolutions.has(id)) tally.fail(`sample ${id}: a version is set aside, and nothing carried says why`);
    }
    let versions = 0;
    for (const some of this.#versions.values()) versions += some.length;
    const found =
      this.#resolutions.size === 0
        ? 'no conflict was resolved'
        : `${this.#resolutions.size} conflicts were resolved, ${versions} versions set aside`;
    return verdict('resolutions', tally, found);
  }

  /** What came after the decision is none of its versions. */
  #judge({ id, keep, recorded_at: decided }: Of<'resolution'>, tally: Tally): void {
    for (const { batch, recordedAt } of this.#counted.get(id) ?? []) {
      if (batch === keep || recordedAt > decided) continue;
      const said = keep === null ? 'none counts' : `that of batch ${keep} counts`;
      tally.fail(`sample ${id}: the version of batch ${batch} is computed with, and it was decided that ${said}`);
    }
    for (const { batch } of this.#versions.get(id) ?? []) {
      if (batch === keep)
        tally.fail(`sample ${id}: the version of batch ${batch} is set aside, and it was decided that it counts`);
    }
  }
}

function versionOf({ batch, recorded_at: recordedAt }: Of<'sample' | 'version'>, { volume }: Sample): Version {
  return { batch, volume: toText(volume), recordedAt };
}

function push<T>(map: Map<string, T[]>, key: string, value: T): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, [value]);
  else known.push(value);
}
