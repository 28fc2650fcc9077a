/** Trees of parameters as named tensors, and on the host. */
import { type Tensor, tensor, treeLeaves, treeMap } from "@cellgrad/cellgrad";
import { toStateDict } from "@cellgrad/cellgrad/nn";

/** Parameters: tensors in plain objects and arrays, nested as you like. */
export type Parameters = object;

/** The tensors of a tree by their path, such as `parameters.encoder.weight`. */
export function namedTensors(tree: Parameters, prefix: string): Record<string, Tensor> {
  return toStateDict({ [prefix]: tree });
}

/** A tree like another one, of other leaves in the same order. */
function rebuilt<T>(like: T, leaves: readonly Tensor[]): T {
  let at = 0;
  return treeMap(() => leaves[at++]!, like) as T;
}

/** A tree like another one, of tensors by their path; `undefined` where one is missing or does not fit. */
export function treeFrom<T extends Parameters>(
  like: T,
  prefix: string,
  tensors: Readonly<Record<string, Tensor>>,
): T | undefined {
  const leaves = Object.entries(namedTensors(like, prefix)).map(([name, { dtype, shape }]) => {
    const found = tensors[name];
    return found?.dtype === dtype && String(found.shape) === String(shape) ? found : undefined;
  });
  return leaves.includes(undefined) ? undefined : rebuilt(like, leaves as Tensor[]);
}

/** A copy of a tree whose tensors are at hand, wherever they were. */
export async function onHost<T>(tree: T): Promise<T> {
  const leaves = treeLeaves(tree).map(async (x) =>
    tensor(await x.read(), { shape: x.shape, dtype: x.dtype })
  );
  return rebuilt(tree, await Promise.all(leaves));
}
