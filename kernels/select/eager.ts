/**
 * Sorting and products of sparse matrices on arrays, by the form that fits their size; both give the
 * same bits.
 *
 * @module
 */
import { dtypeOf, type NumberArray } from "../../src/dtype.ts";
import type { AxisExtents } from "../../src/shape.ts";
import type { Parameters, WasmFunction } from "../wasm/code.ts";
import { hasSimd } from "../wasm/features.ts";
import { instantiate, ModuleBuilder, reserve, scratchMemory } from "../wasm/module.ts";
import * as reference from "./reference.ts";
import { emitRowGroups, groupScratchBytes, type RowGroups } from "./row_groups.ts";
import { emitLineSort, type LineSort, sortNumbers, sortScratchBytes } from "./sort.ts";

/** From so much work on, a kernel makes up for being compiled, or for its call. */
const MANY = { products: 2 ** 20, sorted: 24 } as const;

/** What takes more memory has it for itself; and what takes more than all is left to TypeScript. */
const [MOST_SHARED, MOST] = [2 ** 28, 2 ** 31];

/** Kernels on the memory that all share, those used last; they are few. */
const known = new Map<string, Kernel>();
const MOST_KNOWN = 16;

type Kernel = (...numbers: number[]) => void;

/** A kernel, and what it is called with where arrays, and scratch memory behind them, have places. */
interface Call {
  key: string;
  emit: (module: ModuleBuilder) => WasmFunction<Parameters, null>;
  scratchBytes: number;
  numbers: (places: number[]) => number[];
}

/** Has a kernel fill the first of some arrays; gives whether it could. */
function run({ key, emit, scratchBytes, numbers }: Call, arrays: readonly NumberArray[]): boolean {
  let end = 0;
  const places = [...arrays, { byteLength: scratchBytes }].map(({ byteLength }) => {
    const at = end;
    end += Math.ceil(byteLength / 16) * 16;
    return at;
  });
  if (end > MOST || !hasSimd()) return false;
  const isShared = end <= MOST_SHARED;
  const memory = isShared ? scratchMemory() : new WebAssembly.Memory({ initial: 1 });
  reserve(memory, end);
  let kernel = isShared ? known.get(key) : undefined;
  if (kernel === undefined) {
    const module = new ModuleBuilder({ from: "import" });
    module.exportFunction("run", emit(module));
    kernel = instantiate(new WebAssembly.Module(module.encode()), memory).run!;
    if (known.size === MOST_KNOWN) known.clear();
    if (isShared) known.set(key, kernel);
  }
  const viewOf = ({ constructor, length }: NumberArray, i: number) =>
    new (constructor as Float64ArrayConstructor)(memory.buffer, places[i], length);
  const [out, ...given] = arrays as [NumberArray, ...NumberArray[]];
  given.forEach((array, i) => viewOf(array, i + 1).set(array as Float64Array));
  kernel(...numbers(places));
  (out as Float64Array).set(viewOf(out, 0));
  return true;
}

/** What {@linkcode reference.addSparseProduct} makes of sums that are zeros. */
export function sparseProduct(
  sums: NumberArray,
  entries: reference.Entries,
  table: NumberArray,
  inner: number,
): void {
  const [dtype, picked] = [dtypeOf(sums) as RowGroups["dtype"], entries.values.length];
  const shape = { count: sums.length / inner, picked, inner };
  const groups: RowGroups = { dtype, combine: "product", onto: false, ...shape };
  const call: Call = {
    key: JSON.stringify(groups),
    emit: (module) => emitRowGroups(module, groups),
    scratchBytes: groupScratchBytes(groups),
    numbers: ([out, ...given]) => [out!, 0, ...given, 1, 0, inner],
  };
  const isLarge = picked * inner >= MANY.products && dtype !== "int32";
  const arrays = [sums, table, entries.rows, entries.columns, entries.values];
  if (!isLarge || !run(call, arrays)) reference.addSparseProduct(sums, entries, table, inner);
}

/** What {@linkcode reference.argSortRows} does. */
export function argSortRows(
  out: Int32Array,
  data: NumberArray,
  around: AxisExtents,
  order: reference.SortOrder,
): void {
  const { outer, count, inner } = around;
  const byReference = () => reference.argSortRows(out, data, around, order);
  if (outer * count * inner < MANY.sorted) return byReference();
  const values = data instanceof Uint8Array ? Int32Array.from(data) : data;
  const sort: LineSort = { dtype: dtypeOf(values) as LineSort["dtype"], count, inner, ...order };
  const call: Call = {
    key: sort.dtype,
    emit: (module) => emitLineSort(module, sort.dtype),
    scratchBytes: sortScratchBytes(sort),
    numbers: (places) => [...places, outer, ...sortNumbers(sort)],
  };
  if (!run(call, [out, values])) byReference();
}
