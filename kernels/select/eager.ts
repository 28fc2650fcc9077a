/**
 * The order of values along an axis, by the form that fits the size of the array.
 *
 * @module
 */
import { hasSimd } from "../wasm/features.ts";
import { reserve, scratchMemory } from "../wasm/memory.ts";
import { ModuleBuilder } from "../wasm/module.ts";
import type { SortType } from "./keys.ts";
import { argSortRows as argSortReference, type Around, type SelectArray } from "./reference.ts";
import { emitLineSort, type LineSort, sortScratchBytes } from "./sort.ts";

/**
 * Arrays of so many values are left to WebAssembly: from there on the reference takes some
 * milliseconds, WebAssembly a fifth to a tenth of that, and the first call one more for compiling.
 */
const LARGE = { few: 2 ** 17, most: 2 ** 13 } as const;

/** Longer lines would need much memory for good. */
const LONGEST = 2 ** 20;

/** Values that are copied to linear memory at a time, if a line is not longer. */
const CHUNK = 8192;

/** Kernels that are kept: there is one for each length of lines. */
const KEPT_KERNELS = 64;

/** Sorts lines that lie one behind the other: addresses, and how many there are. */
type SortLines = (out: number, data: number, scratch: number, lines: number) => void;

const kernels = new Map<string, SortLines>();

/** What {@linkcode argSortReference} does. */
export function argSortRows(
  out: Int32Array,
  data: SelectArray,
  around: Around,
  descending: boolean,
  kept: number,
): void {
  const { count, inner } = around;
  const dtype = typeOf(data);
  const large = data.length >= LARGE[kept * 8 < count ? "few" : "most"];
  const fits = large && count <= LONGEST && kept > 0;
  if (!fits || dtype === undefined || !hasSimd()) {
    return argSortReference(out, data, around, descending, kept);
  }
  sortChunks(out, data, inner, { dtype, count, inner: 1, descending, kept });
}

function typeOf(data: SelectArray): SortType | undefined {
  if (data instanceof Float32Array) return "float32";
  if (data instanceof Float64Array) return "float64";
  return data instanceof Int32Array ? "int32" : undefined;
}

function sortChunks(out: Int32Array, data: SelectArray, inner: number, sort: LineSort): void {
  const { count, kept } = sort;
  const run = kernelOf(sort);
  const lines = Math.max(1, Math.floor(CHUNK / count));
  const memory = scratchMemory();
  const [dataBytes, outBytes] = [lines * count * data.BYTES_PER_ELEMENT, lines * kept * 4];
  const at = Math.ceil(dataBytes / 64) * 64;
  const scratch = at + Math.ceil(outBytes / 64) * 64;
  reserve(memory, scratch + sortScratchBytes(sort));
  const values = viewLike(data, memory.buffer, lines * count);
  const positions = new Int32Array(memory.buffer, at, lines * kept);
  const total = data.length / count;
  for (let line = 0; line < total; line += lines) {
    const height = Math.min(lines, total - line);
    for (let i = 0; i < height; i++) readLine(values, i * count, data, line + i, count, inner);
    run(at, 0, scratch, height);
    for (let i = 0; i < height; i++) writeLine(out, line + i, positions, i * kept, kept, inner);
  }
}

function viewLike(data: SelectArray, buffer: ArrayBufferLike, length: number): SelectArray {
  const View = data.constructor as new (b: ArrayBufferLike, o: number, n: number) => SelectArray;
  return new View(buffer, 0, length);
}

/** The first value of a line among lines that lie `inner` next to each other. */
function startOf(line: number, count: number, inner: number): number {
  const column = line % inner;
  return (line - column) * count + column;
}

function readLine(
  values: SelectArray,
  at: number,
  data: SelectArray,
  line: number,
  count: number,
  inner: number,
): void {
  let from = startOf(line, count, inner);
  if (inner === 1) values.set(data.subarray(from, from + count), at);
  else for (let i = 0; i < count; i++, from += inner) values[at + i] = data[from]!;
}

function writeLine(
  out: Int32Array,
  line: number,
  positions: Int32Array,
  at: number,
  kept: number,
  inner: number,
): void {
  let to = startOf(line, kept, inner);
  if (inner === 1) out.set(positions.subarray(at, at + kept), to);
  else for (let k = 0; k < kept; k++, to += inner) out[to] = positions[at + k]!;
}

function kernelOf(sort: LineSort): SortLines {
  const key = JSON.stringify(sort);
  const known = kernels.get(key);
  if (known !== undefined) return known;
  const module = new ModuleBuilder({ from: "import" });
  module.exportFunction("run", emitLineSort(module, sort));
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), {
    env: { memory: scratchMemory() },
  });
  if (kernels.size >= KEPT_KERNELS) kernels.clear();
  kernels.set(key, exports.run as SortLines);
  return exports.run as SortLines;
}
