/** Loops of `kernels/elementwise/wasm.ts` on arrays, with a watch on the memory around them. */
import type { DType, NumberArray } from "../../src/dtype.ts";
import { assert } from "@std/assert";
import { type Expression, parseExpression } from "../../kernels/elementwise/expression.ts";
import { toFunction } from "./expressions.ts";
import { scalarFunction } from "./functions/scalar_function.ts";
import type { Assignment, LoopSpec, Reduction } from "../../kernels/elementwise/passes.ts";
import { emitLoop } from "../../kernels/elementwise/wasm.ts";
import { ModuleBuilder, PAGE_BYTES } from "../../kernels/wasm/module.ts";

/** What marks bytes that nobody may write. */
const GUARD = 0xa5;
const GUARD_BYTES = 64;

const ARRAYS = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  bool: Uint8Array,
} as const;

/** An array of an element type. */
export function arrayOf(dtype: DType, values: number | ArrayLike<number>): NumberArray {
  return new ARRAYS[dtype](values as number);
}

/** An assignment by its text. */
export function assign(name: string, text: string, dtype?: DType): Assignment {
  return { name, expression: parseExpression(text), dtype };
}

/** A loop that stores `y = text` of operands that move. */
export function chain(
  text: string,
  names = "a",
  float: LoopSpec["float"] = "float32",
): LoopSpec {
  return {
    float,
    operands: [...names].map((name) => ({ name, dtype: float, moves: true })),
    body: [assign("y", text)],
    stores: [{ name: "y", dtype: float, moves: true }],
  };
}

/** A loop that stores a reduction of `text` once per row. */
export function reduction(
  reduce: Reduction["reduce"],
  text = "a",
  float: LoopSpec["float"] = "float32",
): LoopSpec {
  return {
    ...chain(text, "a", float),
    body: [assign("x", text), { name: "y", reduce, of: "x" }],
    stores: [{ name: "y", dtype: float, moves: false }],
  };
}

/** What a loop is run on. */
export interface Block {
  rows: number;
  columns: number;
  operands: readonly NumberArray[];
  /** Elements from row to row; by default as many as the operand has per row. */
  steps?: readonly number[];
  parameters?: readonly number[];
  /** How many elements outputs have that do not move; by default one per row. */
  once?: number;
}

/** The loop as a function of arrays, which returns its outputs. */
export function prepare(spec: LoopSpec, relaxed?: boolean): (block: Block) => NumberArray[] {
  const module = new ModuleBuilder({ from: "import" });
  module.exportFunction("loop", emitLoop(module, spec, relaxed));
  const memory = new WebAssembly.Memory({ initial: 1 });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), {
    env: { memory },
    Math: Math as unknown as WebAssembly.ModuleImports,
  });
  return (block) => runBlock(spec, exports.loop as (...args: number[]) => void, memory, block);
}

function runBlock(
  spec: LoopSpec,
  run: (...args: number[]) => void,
  memory: WebAssembly.Memory,
  { rows, columns, operands, parameters = [], steps, once = rows }: Block,
): NumberArray[] {
  const outputs = spec.stores.map(({ dtype, moves }) =>
    arrayOf(dtype, moves ? rows * columns : once)
  );
  const all = [...outputs, ...operands];
  const padded = (x: NumberArray) => GUARD_BYTES + Math.ceil(x.byteLength / 16) * 16;
  const needed = all.reduce((sum, x) => sum + padded(x), GUARD_BYTES);
  if (needed > memory.buffer.byteLength) {
    memory.grow(Math.ceil((needed - memory.buffer.byteLength) / PAGE_BYTES));
  }
  const bytes = new Uint8Array(memory.buffer).fill(GUARD);
  // The last operand ends where the memory does: reading beyond it would trap.
  let end = bytes.length;
  const at = all.toReversed().map((x) => {
    const start = end - x.byteLength;
    end -= padded(x);
    return start - (x === all.at(-1) ? 0 : start % 16);
  }).toReversed();
  operands.forEach((x, i) => {
    bytes.set(new Uint8Array(x.buffer, x.byteOffset, x.byteLength), at[outputs.length + i]!);
  });
  const before = new Int32Array(bytes.slice().buffer);
  const stepOf = ({ moves }: { moves: boolean }) => moves ? columns : 1;
  run(
    ...at,
    ...spec.stores.map((store, i) => outputs[i]!.BYTES_PER_ELEMENT * stepOf(store)),
    ...spec.operands.map((x, i) => operands[i]!.BYTES_PER_ELEMENT * (steps?.[i] ?? stepOf(x))),
    ...parameters,
    rows,
    columns,
  );
  outputs.forEach((x, i) => {
    const own = bytes.subarray(at[i]!, at[i]! + x.byteLength);
    new Uint8Array(x.buffer).set(own);
    own.fill(GUARD);
  });
  const after = new Int32Array(memory.buffer);
  let written = 0;
  for (let i = 0; i < after.length; i++) if (after[i] !== before[i]) written++;
  assert(written === 0, "memory around the outputs was written");
  return outputs;
}

/** Numbers that a row of them would have: small ones of both signs, the same at each run. */
export function wave(dtype: DType, size: number, shift = 0): NumberArray {
  return arrayOf(
    dtype,
    Array.from({ length: size }, (_, i) => {
      const x = 3 * Math.sin(1.7 * i + shift);
      return dtype === "bool" ? Number(x > 0) : dtype === "int32" ? Math.round(3 * x) : x;
    }),
  );
}

const double = new Float64Array(1);
const halves = new Uint32Array(double.buffer);

/** The size of a unit in the last place of single precision at a number. */
export function ulpOf(x: number): number {
  double[0] = x;
  const exponent = (halves[1]! >> 20 & 0x7ff) - 1023;
  return 2 ** (Math.max(-126, exponent) - 23);
}

/** Sizes around those of registers, of their groups and of short rows. */
export const SIZES: readonly number[] = [0, 1, 2, 3, 4, 5, 15, 16, 17, 63, 64, 65, 1000];

/** Equal to the bit, NaN being one value. */
export function assertSame(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  about: string,
): void {
  const at = Array.from(expected).findIndex((x, i) => !Object.is(x, actual[i]));
  assert(
    actual.length === expected.length && at === -1,
    `${about}: ${actual[at]} instead of ${expected[at]} at ${at}`,
  );
}

/** The value of an expression of single-precision operations, each rounded on its own. */
export function rounded(
  e: Expression,
  scope: Record<string, number>,
  round: (x: number) => number,
): number {
  const value = (x: Expression) => rounded(x, scope, round);
  switch (e.kind) {
    case "number":
      return round(e.value);
    case "name":
      return scope[e.name]!;
    case "negate":
      return -value(e.operands[0]!);
    case "choose":
      return value(e.operands[0]!) ? value(e.operands[1]!) : value(e.operands[2]!);
    case "call":
      return round(scalarFunction(e.name)(...e.operands.map(value)));
    case "binary": {
      const [left, right] = e.operands.map(value);
      const operands: Expression = {
        ...e,
        operands: [{ kind: "name", name: "l" }, { kind: "name", name: "r" }],
      };
      return round(toFunction(operands)({ l: left!, r: right! }));
    }
  }
}

/** Softmax of rows, and the logarithm of the sum of their exponentials. */
export function softmaxLoop(float: LoopSpec["float"]): LoopSpec {
  return {
    float,
    operands: [{ name: "x", dtype: float, moves: true }],
    body: [
      { name: "top", reduce: "max", of: "x" },
      assign("e", "exp(x - top)"),
      { name: "sum", reduce: "sum", of: "e" },
      assign("y", "e / sum"),
      assign("l", "log(sum) + top"),
    ],
    stores: [{ name: "y", dtype: float, moves: true }, { name: "l", dtype: float, moves: false }],
  };
}

/** Hints how long rows are: four at once, two or one. */
export const HINTS: readonly (number | undefined)[] = [20, 100, undefined];
