/** Trees of parameters as named tensors, and on the host. */
import { Tensor, tensor } from "@cellgrad/cellgrad";

/** Parameters: tensors in plain objects and arrays, nested as you like. */
export type Parameters = object;

type Branch = Readonly<Record<string, unknown>>;

/** The tensors of a tree by their path, such as `parameters.encoder.weight`. */
export function namedTensors(tree: unknown, prefix: string): Record<string, Tensor> {
  if (tree instanceof Tensor) return { [prefix]: tree };
  return Object.assign(
    {},
    ...Object.entries(tree as Branch).map(([name, child]) =>
      namedTensors(child, `${prefix}.${name}`)
    ),
  );
}

/**
 * A tree like another one, of tensors by their path; `undefined` where one is missing or does not
 * fit.
 */
export function treeFrom<T>(
  like: T,
  prefix: string,
  tensors: Readonly<Record<string, Tensor>>,
): T | undefined {
  if (like instanceof Tensor) {
    const found = tensors[prefix];
    const fits = found?.dtype === like.dtype && String(found.shape) === String(like.shape);
    return fits ? found as T : undefined;
  }
  const children = Object.entries(like as Branch).map(([name, child]) =>
    [name, treeFrom(child, `${prefix}.${name}`, tensors)] as const
  );
  if (children.some(([, child]) => child === undefined)) return undefined;
  return (Array.isArray(like)
    ? children.map(([, child]) => child)
    : Object.fromEntries(children)) as T;
}

/** A copy of a tree whose tensors are at hand, wherever they were. */
export async function onHost<T>(tree: T): Promise<T> {
  if (tree instanceof Tensor) {
    const { shape, dtype } = tree;
    return tensor(await tree.read(), { shape, dtype }) as T;
  }
  const entries = await Promise.all(
    Object.entries(tree as Branch).map(async ([name, child]) => [name, await onHost(child)]),
  );
  return (Array.isArray(tree)
    ? entries.map(([, child]) => child)
    : Object.fromEntries(entries)) as T;
}
