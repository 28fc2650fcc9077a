/**
 * Products of sparse matrices as arrays, by the form that fits their size; both give the same bits.
 *
 * @module
 */
import { dtypeOf, type NumberArray } from "../../src/dtype.ts";
import { hasSimd } from "../wasm/features.ts";
import { ModuleBuilder, reserve, scratchMemory } from "../wasm/module.ts";
import { addSparseProduct, type Entries } from "./reference.ts";
import { emitRowGroups, groupScratchBytes, type RowGroups } from "./row_groups.ts";

/** So many products make up for a kernel of their shapes, unless they take more memory than this. */
const [MANY, MOST_BYTES] = [2 ** 20, 2 ** 28];

/** The kernel that was used last. */
let last: { key: string; run: (...numbers: number[]) => void } | undefined;

/** What {@linkcode addSparseProduct} makes of sums that are zeros. */
export function sparseProduct(
  sums: NumberArray,
  entries: Entries,
  table: NumberArray,
  inner: number,
): void {
  const [dtype, picked] = [dtypeOf(sums) as RowGroups["dtype"], entries.values.length];
  const arrays = [sums, table, entries.rows, entries.columns, entries.values];
  const bytes = arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
  if (picked * inner < MANY || dtype === "int32" || bytes > MOST_BYTES || !hasSimd()) {
    return addSparseProduct(sums, entries, table, inner);
  }
  const shape = { count: sums.length / inner, picked, inner };
  const groups: RowGroups = { dtype, combine: "product", onto: false, ...shape };
  const [key, memory] = [JSON.stringify(groups), scratchMemory()];
  if (last?.key !== key) {
    const module = new ModuleBuilder({ from: "import" });
    module.exportFunction("run", emitRowGroups(module, groups));
    const compiled = new WebAssembly.Module(module.encode());
    const { run } = new WebAssembly.Instance(compiled, { env: { memory } }).exports;
    last = { key, run: run as (...numbers: number[]) => void };
  }
  let end = 0;
  const [out, ...given] = arrays.map(({ byteLength }) => (end += byteLength) - byteLength);
  const scratch = Math.ceil(end / 16) * 16;
  reserve(memory, scratch + groupScratchBytes(groups));
  given.forEach((at, i) => viewOf(memory, at, arrays[i + 1]!).set(arrays[i + 1]! as never));
  last.run(out!, 0, ...given, scratch, 1, 0, inner);
  sums.set(viewOf(memory, out!, sums) as never);
}

/** Memory as an array of the kind and length of another. */
function viewOf({ buffer }: WebAssembly.Memory, at: number, { constructor, length }: NumberArray) {
  return new (constructor as Float64ArrayConstructor)(buffer, at, length);
}
