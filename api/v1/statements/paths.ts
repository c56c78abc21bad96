import { merkleLeafHash, MerklePaths } from '@nephometer/core';
import type { SignedHeader, Store, StoredSample } from '@nephometer/core';
import type { Gathered } from './gather.ts';

/** Batches at the edge of the period that are read one by one. */
type Leaves = (Buffer | undefined)[];

/** The ways from samples to their batches' roots. */
export class SamplePaths {
  readonly #headers: ReadonlyMap<string, SignedHeader>;
  readonly #leaves = new Map<string, Leaves>();
  readonly #trees = new Map<string, MerklePaths | null>();

  private constructor(headers: ReadonlyMap<string, SignedHeader>) {
    this.#headers = headers;
  }

  /** Reads every sample of the period once, and of batches that reach beyond it all they hold; keeps hashes alone. */
  static async read(store: Store, gathered: Gathered, digests: ReadonlySet<string>): Promise<SamplePaths> {
    const all = gathered.headers();
    const { asOf } = gathered.ground;
    const paths = new SamplePaths(new Map([...all].filter(([digest]) => digests.has(digest))));
    for (const rows of [
      gathered.shown({}, asOf),
      gathered.voided({}),
      store.conflicts({ asOf }),
      gathered.setAside(),
    ]) {
      for await (const sample of rows) paths.#add(sample);
    }
    for (const digest of paths.#incomplete()) {
      for await (const sample of store.samples({ batchDigest: digest, asOf })) paths.#add(sample);
    }
    return paths;
  }

  #add({ batchDigest, batchIndex, text }: StoredSample): void {
    if (!this.#headers.has(batchDigest)) return;
    const known = this.#leaves.get(batchDigest);
    const leaves = known ?? [];
    if (known === undefined) this.#leaves.set(batchDigest, leaves);
    leaves[batchIndex] = merkleLeafHash(text);
  }

  #incomplete(): string[] {
    return [...this.#headers]
      .filter(([digest, { samples }]) => !this.#isWhole(digest, samples))
      .map(([digest]) => digest);
  }

  #isWhole(digest: string, samples: number): boolean {
    return (this.#leaves.get(digest) ?? []).filter((leaf) => leaf !== undefined).length === samples;
  }

  /** Null where a sample of the batch is not stored (it was a duplicate, or retention removed it): its hash is gone with it. */
  of(digest: string, index: number): string[] | null {
    let tree = this.#trees.get(digest);
    if (tree === undefined) this.#trees.set(digest, (tree = this.#treeOf(digest)));
    return tree === null ? null : tree.to(index);
  }

  hasHeader(digest: string): boolean {
    return this.#headers.has(digest);
  }

  #treeOf(digest: string): MerklePaths | null {
    const header = this.#headers.get(digest);
    if (header === undefined || !this.#isWhole(digest, header.samples)) return null;
    const tree = new MerklePaths((this.#leaves.get(digest) ?? []).flatMap((leaf) => leaf ?? []));
    return tree.root() === header.merkle_root ? tree : null;
  }
}
