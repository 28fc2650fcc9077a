/** What nobody means to pass, and what is passed all the same. */
import * as cg from "../../mod.ts";
import { HOLE } from "./walk.ts";

/** A value that stands where another one belongs. */
export interface BadValue {
  /** How it is written. */
  text: string;
  /** The value, a new one each time. */
  make: () => unknown;
  /** Whether no function has a meaning for it, so that taking it is a fault too. */
  meaningless: boolean;
}

/** What a user's own getter throws: it passes through the library as it is. */
export class OwnError extends Error {}

function own(): never {
  throw new OwnError("thrown by the user's own code");
}

/** Another copy of the library, as two versions in one project are. */
export async function secondCopy(): Promise<typeof cg> {
  const root = new URL("../../", import.meta.url);
  const folder = await Deno.makeTempDir({ prefix: "cellgrad_copy_" });
  const copy = async (from: URL, to: string) => {
    await Deno.mkdir(to);
    for await (const { name, isDirectory } of Deno.readDir(from)) {
      if (isDirectory) await copy(new URL(`${name}/`, from), `${to}/${name}`);
      else await Deno.copyFile(new URL(name, from), `${to}/${name}`);
    }
  };
  try {
    for (const name of ["src", "kernels"]) {
      await copy(new URL(`${name}/`, root), `${folder}/${name}`);
    }
    await Deno.copyFile(new URL("mod.ts", root), `${folder}/mod.ts`);
    return await import(`file://${folder}/mod.ts`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function detached(): Float32Array {
  const values = Float32Array.of(1, 2, 3);
  structuredClone(values.buffer, { transfer: [values.buffer] });
  return values;
}

function shrunk(): Float32Array {
  const buffer = new ArrayBuffer(12, { maxByteLength: 24 });
  const values = new Float32Array(buffer, 0, 3);
  buffer.resize(4);
  return values;
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = [value];
  return value;
}

/** Two entries a level, each the same array: few arrays, and 2⁶⁰ values. */
function doubled(): unknown {
  let value: unknown = 1;
  for (let i = 0; i < 60; i++) value = [value, value];
  return value;
}

function cyclicArray(): unknown {
  const value: unknown[] = [];
  value.push(value);
  return value;
}

function cyclicTree(): unknown {
  const value: Record<string, unknown> = { w: 1 };
  value.self = [value];
  return value;
}

function escaped(): cg.Tensor {
  let found: cg.Tensor | undefined;
  cg.grad((x: cg.Tensor) => {
    found = x.mul(2);
    return x.sum();
  })([1, 2, 3]);
  return found!;
}

/** A tensor on a device that was disposed of. */
function disposed(): cg.Tensor {
  const gone = (): never => {
    throw new TypeError("Cannot read the values of a tensor as it has been disposed of");
  };
  return new cg.Tensor([3], "float32", { data: gone, read: gone, dispose() {} });
}

class Cell {
  name = "T cell";
}

type Row = readonly [text: string, make: () => unknown];

/** What may have a meaning somewhere: a number, a name, a tensor, a function. */
const DOUBTFUL: readonly Row[] = [
  ["undefined", () => undefined],
  ["nothing, a hole", () => HOLE],
  ["null", () => null],
  ["NaN", () => NaN],
  ["Infinity", () => Infinity],
  ["-Infinity", () => -Infinity],
  ["-1", () => -1],
  ["-0", () => -0],
  ["1.5", () => 1.5],
  ["1e9", () => 1e9],
  ["2 ** 53", () => 2 ** 53],
  ["true", () => true],
  ['"1"', () => "1"],
  ['""', () => ""],
  ["[]", () => []],
  ["[[]]", () => [[]]],
  ["{}", () => ({})],
  ["[[[[[[1]]]]]]", () => nested(6)],
  ["new Uint8Array([0, 255, 3])", () => Uint8Array.of(0, 255, 3)],
  ["new Float32Array(0)", () => new Float32Array(0)],
  [
    "new Float32Array(new ArrayBuffer(12, { maxByteLength: 24 }))",
    () => new Float32Array(new ArrayBuffer(12, { maxByteLength: 24 })),
  ],
  [
    "new Float32Array(new SharedArrayBuffer(12))",
    () => new Float32Array(new SharedArrayBuffer(12)),
  ],
  ["() => 1", () => () => 1],
  ["async () => {}", () => async () => {}],
  ["function* () {}", () => function* () {}],
  ["a function's proxy that throws", () => new Proxy(() => 1, { get: own, apply: own })],
  ["tensor([[[[1, 2]]]])", () => cg.tensor([[[[1, 2]]]])],
  ["zeros([0])", () => cg.zeros([0])],
  ["zeros([3, 0])", () => cg.zeros([3, 0])],
  ["tensor([true, false, true])", () => cg.tensor([true, false, true])],
  ['full([3], 7, { dtype: "int32" })', () => cg.full([3], 7, { dtype: "int32" })],
  ["escaped from grad", escaped],
  ["disposed of", disposed],
];

/** What no function has a meaning for. */
const MEANINGLESS: readonly Row[] = [
  ['Symbol("x")', () => Symbol("x")],
  ["1n", () => 1n],
  ["new Date(0)", () => new Date(0)],
  ['new Map([["w", 1]])', () => new Map([["w", 1]])],
  ["new Set([1, 2])", () => new Set([1, 2])],
  ["/x/", () => /x/],
  ["new Cell()", () => new Cell()],
  ["new Number(1)", () => new Number(1)],
  ["[[1, 2], [3]]", () => [[1, 2], [3]]],
  ["[1, , 3]", () => {
    const values = [1, 2, 3];
    delete values[1];
    return values;
  }],
  ["new Array(1e9)", () => new Array(1e9)],
  ['["a", "b", "c"]', () => ["a", Symbol("b"), "c"]],
  ["[undefined, 1, 2]", () => [undefined, 1, 2]],
  ["[1, null, 2]", () => [1, null, 2]],
  ["[1n, 2n, 3n]", () => [1n, 2n, 3n]],
  ["[1, true, new Date(0)]", () => [1, true, new Date(0)]],
  ["[[…20,000 deep…]]", () => nested(20_000)],
  ["[[…2⁶⁰ values…]]", doubled],
  ["an array that holds itself", cyclicArray],
  ["an object that holds itself", cyclicTree],
  ["new BigInt64Array(3)", () => new BigInt64Array(3)],
  ["new DataView(new ArrayBuffer(12))", () => new DataView(new ArrayBuffer(12))],
  ["new ArrayBuffer(12)", () => new ArrayBuffer(12)],
  ["a detached Float32Array", detached],
  ["a Float32Array outside of its shrunk buffer", shrunk],
  ["Promise.resolve(1)", () => Promise.resolve(1)],
  ["(function* () { yield 1; })()", () =>
    (function* () {
      yield 1;
    })()],
  ["new WeakMap()", () => new WeakMap()],
  ["new Error()", () => new Error("an error")],
  [
    "a proxy that throws",
    () => new Proxy({}, { get: own, ownKeys: own, getPrototypeOf: own, has: own }),
  ],
  ["{ get shape() { throw … } }", () => ({
    get shape() {
      return own();
    },
    get length() {
      return own();
    },
  })],
  ["globalThis", () => globalThis],
];

/** All bad values; with `copy`, another copy of the library, its tensor too. */
export function badValues(copy?: typeof cg): BadValue[] {
  const row = (meaningless: boolean) => ([text, make]: Row) => ({ text, make, meaningless });
  const float16 =
    (globalThis as { Float16Array?: { of(...values: number[]): unknown } }).Float16Array;
  return [
    ...DOUBTFUL.map(row(false)),
    ...MEANINGLESS.map(row(true)),
    ...(float16 === undefined ? [] : [{
      text: "Float16Array.of(1, 2, 3)",
      make: () => float16.of(1, 2, 3),
      meaningless: false,
    }]),
    ...(copy === undefined
      ? []
      : [{ text: "another copy's tensor", make: () => copy.tensor([1, 2, 3]), meaningless: true }]),
  ];
}
