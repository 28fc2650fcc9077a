/**
 * Random numbers as arrays, by the form that fits how many there are; all give the same bits.
 *
 * @module
 */
import { BYTES, dtypeOf, type TypedArray } from "../../src/dtype.ts";
import { hasSimd } from "../wasm/features.ts";
import { instantiate, ModuleBuilder, reserve, scratchMemory } from "../wasm/module.ts";
import { type Key, referenceOf, type Sampler } from "./reference.ts";
import type { SamplerName, Sampling } from "./samplers.ts";
import { emitSampler, SCRATCH_BYTES } from "./wasm.ts";

/** From so many numbers on, drawn by one sampler in all, WebAssembly makes up for being compiled. */
const MANY = 1000;

/** Numbers that are made in linear memory at a time: they stay in the processor's caches. */
const CHUNK = 8192;

/** Where things lie in linear memory: the key, what is written in between, parameters, numbers. */
const SCRATCH = 64;
const PARAMETERS = SCRATCH + SCRATCH_BYTES;
const NUMBERS = PARAMETERS + 8 * CHUNK;
const END = NUMBERS + 8 * CHUNK;

/** The forms of a sampler for some types, as far as they were needed. */
interface Forms {
  reference?: Sampler;
  wasm?: Sampler;
  /** How many numbers were drawn. */
  count: number;
}

const known = new Map<string, Forms>();

/**
 * Fills an array with numbers of a distribution, which may have a parameter: one value for all
 * numbers, or one for each.
 */
export function fill<T extends TypedArray>(
  name: SamplerName,
  out: T,
  key: Key,
  parameter?: TypedArray,
): T {
  const moves = parameter !== undefined && parameter.length > 1;
  const sampling = { name, dtype: dtypeOf(out)!, parameter: dtypeOf(parameter), moves };
  const id = JSON.stringify(sampling);
  const forms: Forms = known.get(id) ?? { count: 0 };
  known.set(id, forms);
  forms.count += out.length;
  const run = forms.count >= MANY && hasSimd()
    ? forms.wasm ??= wasmOf(sampling)
    : forms.reference ??= referenceOf(sampling);
  run(out, key, parameter);
  return out;
}

/** A sampler as WebAssembly, one chunk after the other. */
export function wasmOf(sampling: Sampling): Sampler {
  const { dtype, parameter, moves } = sampling;
  const module = new ModuleBuilder({ from: "import" });
  module.exportFunction("run", emitSampler(module, sampling));
  const memory = scratchMemory();
  const run = instantiate(new WebAssembly.Module(module.encode()), memory).run!;
  const [size, step] = [BYTES[dtype], moves ? BYTES[parameter!] : 0];
  return (out, key, values) => {
    reserve(memory, END);
    const bytes = new Uint8Array(memory.buffer);
    const [numbers, parameters] = [bytesOf(out), values && bytesOf(values)];
    bytes.set(bytesOf(Int32Array.of(key[0]!, key[1]!)));
    for (let start = 0; start < out.length; start += CHUNK) {
      const count = Math.min(CHUNK, out.length - start);
      if (parameters) {
        bytes.set(parameters.subarray(start * step).subarray(0, 8 * count), PARAMETERS);
      }
      run(NUMBERS, 0, PARAMETERS, SCRATCH, start, count);
      numbers.set(bytes.subarray(NUMBERS, NUMBERS + count * size), start * size);
    }
  };
}

function bytesOf({ buffer, byteOffset, byteLength }: TypedArray): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength);
}

/** The two words of the key that `data` leads to from `key`. */
export function foldedKey(key: Key, data: number): Int32Array {
  return fill("foldIn", new Int32Array(2), key, Int32Array.of(data));
}

/** Exponentials, the same to the last bit on every machine. */
export function exponentials(values: Float64Array): Float64Array {
  return fill("exp", new Float64Array(values.length), [0, 0], values);
}

/**
 * Class numbers with probabilities proportional to the exponentials of a row of logits, by
 * inversion. `rows[i]` tells the row of element i.
 */
export function fillCategorical(
  out: TypedArray,
  key: Key,
  logits: ArrayLike<number>,
  classes: number,
  rows: ArrayLike<number>,
): void {
  const cumulative = cumulate(logits, classes);
  const drawn = fill("fraction", new Float64Array(out.length), key);
  for (let i = 0; i < out.length; i++) {
    const start = rows[i]! * classes;
    const target = drawn[i]! * cumulative[start + classes - 1]!;
    let c = 0;
    while (cumulative[start + c]! <= target) c++;
    out[i] = c;
  }
}

/** Running sums of the exponentials of rows, the largest of each taken as 1. */
function cumulate(logits: ArrayLike<number>, classes: number): Float64Array {
  const shifted = Float64Array.from(logits);
  for (let start = 0; start < shifted.length; start += classes) {
    const row = shifted.subarray(start, start + classes);
    let largest = -Infinity;
    for (let c = 0; c < classes; c++) largest = Math.max(largest, row[c]!);
    for (let c = 0; c < classes; c++) row[c]! -= largest;
  }
  const sums = exponentials(shifted);
  for (let i = 0; i < sums.length; i++) if (i % classes > 0) sums[i]! += sums[i - 1]!;
  return sums;
}

/** The numbers 0 … n − 1 in random order (Fisher and Yates). */
export function fillPermutation(out: Int32Array, key: Key): void {
  const drawn = fill("fraction", new Float64Array(out.length), key);
  for (let i = 0; i < out.length; i++) out[i] = i;
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(drawn[i]! * (i + 1));
    const last = out[i]!;
    out[i] = out[j]!;
    out[j] = last;
  }
}
