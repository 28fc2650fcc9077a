/**
 * Hierarchies of classes.
 *
 * @module
 */
import { checkLabels } from "../labels.ts";
import { asTensor, type Tensor, type TensorLike } from "../tensor.ts";
import { checkAxes } from "../options.ts";

/** A hierarchy of V nodes on L levels, such as `termHierarchy` of `@cellgrad/cellgrad/data` gives. */
export interface Hierarchy {
  /** (V): the level of each node, 0 for the root. */
  levels: Int32Array;
  /**
   * For each level l a (V, C_l) matrix: 1 where the class is the node itself or lies above it, else
   * 0.
   */
  membership: readonly TensorLike[];
}

/** A hierarchy as tensors; throws unless its parts fit each other. */
export function readHierarchy(
  caller: string,
  { levels, membership }: Hierarchy,
): { levels: Tensor; membership: Tensor[] } {
  const depths = checkLabels(caller, levels, membership.length, { argument: "hierarchy.levels" });
  checkAxes(caller, "hierarchy.levels", depths, ["nodes"]);
  const members = membership.map((rows, l) => {
    const matrix = asTensor(rows);
    checkAxes(caller, `hierarchy.membership[${l}]`, matrix, [depths.size, "classes"]);
    return matrix;
  });
  return { levels: depths, membership: members };
}
