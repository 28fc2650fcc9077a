/**
 * What does an element cost in loops of JavaScript, in fused WebAssembly, and with the copies that
 * eager operations make?
 *
 * Each bench goes over 65,536 values, so that a microsecond is 0.015 nanoseconds per element.
 *
 * @module
 */
import { EagerKernel } from "../kernels/elementwise/eager.ts";
import { parseExpression } from "../kernels/elementwise/expression.ts";
import type { LoopSpec } from "../kernels/elementwise/passes.ts";
import { ElementwiseKernel } from "../kernels/elementwise/reference.ts";
import { emitLoop } from "../kernels/elementwise/wasm.ts";
import { ModuleBuilder } from "../kernels/wasm/module.ts";

const SIZE = 65536;
const BYTES = SIZE * 4;

function numbers(): Float32Array<ArrayBuffer> {
  return Float32Array.from({ length: SIZE }, (_, i) => 0.1 + (i * 7919 % 1000) / 200);
}

/** The loop as WebAssembly over two operands; `steps` are the bytes of a row. */
function wasmLoop(spec: LoopSpec, rows: number, columns: number): () => void {
  const module = new ModuleBuilder({ from: "import" });
  module.exportFunction("loop", emitLoop(module, { ...spec, columns }));
  const memory = new WebAssembly.Memory({ initial: Math.ceil(4 * BYTES / 65536) });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(module.encode()), {
    env: { memory },
    Math: Math as unknown as WebAssembly.ModuleImports,
  });
  const addresses = [...spec.stores, ...spec.operands].map((_, i) => i * BYTES);
  addresses.forEach((at) => new Float32Array(memory.buffer, at, SIZE).set(numbers()));
  const steps = [...spec.stores, ...spec.operands].map(({ moves }) => moves ? columns * 4 : 4);
  const loop = exports.loop as (...args: number[]) => void;
  return () => loop(...addresses, ...steps, rows, columns);
}

function spec(names: string, body: [string, string][], stores: string[]): LoopSpec {
  return {
    float: "float32",
    operands: [...names].map((name) => ({ name, dtype: "float32", moves: true })),
    body: body.map(([name, text]) => ({ name, expression: parseExpression(text) })),
    stores: stores.map((name) => ({ name, dtype: "float32", moves: true })),
  };
}

const FUNCTIONS = {
  exp: "exp(a)",
  expm1: "expm1(a)",
  log: "log(a)",
  log1p: "log1p(a)",
  tanh: "tanh(a)",
  sin: "sin(a)",
  pow: "pow(a, 1.7)",
  erf: "erf(a)",
  lgamma: "lgamma(a)",
  digamma: "polygamma0(a)",
  sigmoid: "1 / (1 + exp(-a))",
  softplus: "max(a, 0) + log1p(exp(-abs(a)))",
};

for (const [name, text] of Object.entries(FUNCTIONS)) {
  const group = `${name}, 64k float32`;
  const [x, out] = [numbers(), new Float32Array(SIZE)];
  const reference = new ElementwiseKernel(name, text);
  const eager = new EagerKernel(name, text);
  const loop = wasmLoop(spec("a", [["y", text]], ["y"]), 1, SIZE);
  Deno.bench({ name: `${name}, Math`, group, baseline: true }, () => reference.runFlat(out, [x]));
  Deno.bench({ name: `${name}, eager, with copies`, group }, () => eager.runFlat(out, [x]));
  Deno.bench({ name: `${name}, WebAssembly`, group }, () => loop());
}

/** The steps of a chain, and each as a loop of its own over what the step reads. */
const CHAIN: [name: string, text: string, alone: string, operands: string][] = [
  ["d", "a - b", "a - b", "ab"],
  ["s", "d * d", "a * a", "d"],
  ["k", "exp(-s)", "exp(-a)", "s"],
  ["m", "k * a", "a * b", "ka"],
  ["y", "m + b", "a + b", "mb"],
];
const [a, b] = [numbers(), numbers()];

{
  const group = "chain of six operations, 64k float32";
  const values: Record<string, Float32Array> = { a, b };
  const steps = CHAIN.map(([name, , text, operands]) => {
    const out = values[name] = new Float32Array(SIZE);
    const data = [...operands].map((operand) => values[operand]!);
    return { kernel: new ElementwiseKernel(name, text), out, data };
  });
  Deno.bench({ name: "chain, loop by loop", group, baseline: true }, () => {
    for (const { kernel, out, data } of steps) kernel.runFlat(out, data);
  });
  const fused = spec("ab", CHAIN.map(([name, text]) => [name, text]), ["y"]);
  const loop = wasmLoop(fused, 1, SIZE);
  Deno.bench({ name: "chain, fused WebAssembly", group }, () => loop());
}

const SOFTMAX: LoopSpec = {
  ...spec("a", [], ["y"]),
  body: [
    { name: "top", reduce: "max", of: "a" },
    { name: "e", expression: parseExpression("exp(a - top)") },
    { name: "sum", reduce: "sum", of: "e" },
    { name: "y", expression: parseExpression("e / sum") },
  ],
};

for (const columns of [5, 20, 64, 1024]) {
  const group = `softmax of rows of ${columns}, 64k float32`;
  const rows = Math.floor(SIZE / columns);
  const loop = wasmLoop(SOFTMAX, rows, columns);
  Deno.bench({ name: `softmax ${columns}, WebAssembly`, group }, () => loop());
}

for (const reduce of ["sum", "max"] as const) {
  const group = `${reduce} of rows and columns, 64k float32`;
  const reduction: LoopSpec = {
    ...spec("a", [], []),
    body: [{ name: "y", reduce, of: "a" }],
    stores: [{ name: "y", dtype: "float32", moves: false }],
  };
  for (const columns of [20, 256]) {
    const rows = Math.floor(SIZE / columns);
    const along = wasmLoop(reduction, rows, columns);
    const down = wasmLoop({ ...reduction, over: "column" }, rows, columns);
    Deno.bench({ name: `${reduce} of rows of ${columns}`, group }, () => along());
    Deno.bench({ name: `${reduce} of ${columns} columns`, group }, () => down());
  }
}
