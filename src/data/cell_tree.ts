/**
 * The tree of cell types behind simulated cells, and how cells move along it.
 *
 * @module
 */

/** A tree of cell types: the root first, every node after its parent, the types last. */
export interface CellTree {
  /** The nodes' names; those of the types are the last ones. */
  names: string[];
  /** The nodes' parents; −1 for the root. */
  parents: Int32Array;
}

/**
 * The complete binary tree with `types` leaves: the children of node i are 2i + 1 and 2i + 2, and
 * the leaf of type t is node `types − 1 + t`.
 */
export function completeTree(types: number): CellTree {
  const nodes = 2 * types - 1;
  return {
    names: Array.from(
      { length: nodes },
      (_, i) => i < types - 1 ? `node ${i}` : `type ${i - types + 1}`,
    ),
    parents: Int32Array.from({ length: nodes }, (_, i) => (i + 1 >> 1) - 1),
  };
}

/** How far the changes along a branch have come, and how fast. */
export interface Ramp {
  /** From 0 (not begun) to 1 (complete). */
  value: number;
  /** The derivative by pseudotime. */
  derivative: number;
}

/**
 * The ramp of the branch to `node` at a pseudotime: the smooth step 3s² − 2s³ within the branch's
 * stretch of time. Stretches are equal by depth, and the one to a leaf lasts until time 1.
 */
export function ramp({ parents }: CellTree, node: number, time: number): Ramp {
  const deepest = depthOf(parents.length - 1);
  const leaf = node >= (parents.length - 1) / 2;
  const start = (depthOf(node) - 1) / deepest;
  const end = leaf ? 1 : depthOf(node) / deepest;
  const s = Math.min(Math.max((time - start) / (end - start), 0), 1);
  return { value: s * s * (3 - 2 * s), derivative: 6 * s * (1 - s) / (end - start) };
}

function depthOf(node: number): number {
  return 31 - Math.clz32(node + 1);
}
