import { createHash } from 'node:crypto';

/**
 * Merkle tree over the exact bytes of a batch's samples, shaped and domain-separated as in RFC 9162: a leaf is
 * SHA-256(0x00 || bytes), a node SHA-256(0x01 || left || right), a tree of n > 1 leaves splits at the greatest power
 * of two below n, the root of no leaves is SHA-256 of nothing. So a proof shows one sample and no other.
 */
export function merkleRoot(leaves: readonly (string | Uint8Array)[]): string {
  return subtree(leaves.map(leafHash)).toString('hex');
}

/** The hashes beside the way from leaf `index` to the root, from the leaf up, hex. */
export function merkleProof(leaves: readonly (string | Uint8Array)[], index: number): string[] {
  if (!Number.isInteger(index) || index < 0 || index >= leaves.length) {
    throw new RangeError(`There is no leaf ${index} in a tree of ${leaves.length}.`);
  }
  return siblings(leaves.map(leafHash), index).map((hash) => hash.toString('hex'));
}

/** The hash of a leaf, for `MerklePaths`. */
export function merkleLeafHash(leaf: string | Uint8Array): Buffer {
  return leafHash(leaf);
}

/** The ways to the root of one tree, from the hashes of its leaves: each node is computed once for all of them. */
export class MerklePaths {
  readonly #leaves: readonly Buffer[];
  readonly #nodes = new Map<string, Buffer>();

  constructor(leafHashes: readonly Buffer[]) {
    this.#leaves = leafHashes;
  }

  root(): string {
    return this.#leaves.length === 0 ? merkleRoot([]) : this.#node(0, this.#leaves.length).toString('hex');
  }

  /** As `merkleProof`. */
  to(index: number): string[] {
    const path: string[] = [];
    let [from, count] = [0, this.#leaves.length];
    while (count > 1) {
      const split = splitPoint(count);
      const isLeft = index - from < split;
      path.push((isLeft ? this.#node(from + split, count - split) : this.#node(from, split)).toString('hex'));
      if (!isLeft) from += split;
      count = isLeft ? split : count - split;
    }
    return path.toReversed();
  }

  #node(from: number, count: number): Buffer {
    const only = this.#leaves[from];
    if (only === undefined) throw new RangeError(`There is no leaf ${from} in a tree of ${this.#leaves.length}.`);
    if (count === 1) return only;
    const key = `${from} ${count}`;
    let node = this.#nodes.get(key);
    if (node === undefined) {
      const split = splitPoint(count);
      node = nodeHash(this.#node(from, split), this.#node(from + split, count - split));
      this.#nodes.set(key, node);
    }
    return node;
  }
}

/** Whether `leaf` stands at `index` of the `count` leaves beneath `root`. */
export function verifyMerkleProof(
  leaf: string | Uint8Array,
  index: number,
  count: number,
  proof: readonly string[],
  root: string,
): boolean {
  if (!Number.isInteger(index) || index < 0 || index >= count) return false;
  const remaining = proof.map((hash) => Buffer.from(hash, 'hex'));
  const computed = climb(leafHash(leaf), index, count, remaining);
  return computed !== null && remaining.length === 0 && computed.toString('hex') === root;
}

function leafHash(leaf: string | Uint8Array): Buffer {
  return createHash('sha256').update('\0').update(leaf).digest();
}

function nodeHash(left: Buffer, right: Buffer): Buffer {
  return createHash('sha256').update('\x01').update(left).update(right).digest();
}

function splitPoint(count: number): number {
  return 2 ** Math.floor(Math.log2(count - 1));
}

function subtree(hashes: readonly Buffer[]): Buffer {
  const [only] = hashes;
  if (only === undefined) return createHash('sha256').digest();
  if (hashes.length === 1) return only;
  const split = splitPoint(hashes.length);
  return nodeHash(subtree(hashes.slice(0, split)), subtree(hashes.slice(split)));
}

function siblings(hashes: readonly Buffer[], index: number): Buffer[] {
  if (hashes.length <= 1) return [];
  const split = splitPoint(hashes.length);
  return index < split
    ? [...siblings(hashes.slice(0, split), index), subtree(hashes.slice(split))]
    : [...siblings(hashes.slice(split), index - split), subtree(hashes.slice(0, split))];
}

/** Takes from the end of `proof` (the root's side) what each level needs; null when the proof is too short. */
function climb(leaf: Buffer, index: number, count: number, proof: Buffer[]): Buffer | null {
  if (count === 1) return leaf;
  const sibling = proof.pop();
  if (sibling === undefined) return null;
  const split = splitPoint(count);
  const below = index < split ? climb(leaf, index, split, proof) : climb(leaf, index - split, count - split, proof);
  if (below === null) return null;
  return index < split ? nodeHash(below, sibling) : nodeHash(sibling, below);
}
