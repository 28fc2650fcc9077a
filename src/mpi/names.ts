/**
 * Names for the tensors in a tree: where they are.
 *
 * @module
 */
import { flattenTree } from "../tree.ts";
import type { Tensor } from "../tensor.ts";

/** The tensors of a tree by their path, `layers.0.weight`; throws where two paths read the same. */
export function namedLeaves(caller: string, tree: unknown): Map<string, Tensor> {
  const { leaves, rebuild } = flattenTree(caller, tree);
  const found = new Map<string, Tensor>();
  const visit = (node: unknown, path: string): void => {
    if (typeof node === "number") {
      if (found.has(path)) {
        throw new TypeError(
          `Cannot compute ${caller} as two tensors have the path "${path}": ` +
            `keys with dots cannot be told from branches`,
        );
      }
      found.set(path, leaves[node]!);
    } else {
      for (const [key, child] of Object.entries(node as object)) {
        visit(child, path === "" ? key : `${path}.${key}`);
      }
    }
  };
  visit(rebuild(leaves.map((_, i) => i)), "");
  return found;
}
