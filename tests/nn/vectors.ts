/** What PyTorch's layers give, as parameters, inputs and results of ours. */
import { assertEquals } from "@std/assert";
import { cos, type DType, grad, type Tensor, tensor } from "../../mod.ts";
import * as nn from "../../src/nn/mod.ts";
import { assertAllClose } from "../../src/testing.ts";
import vectors from "./torch.json" with { type: "json" };

interface Packed {
  shape: number[];
  dtype: string;
  data: string;
}

type Packages = Readonly<Record<string, Packed | undefined>>;

/** A layer of PyTorch with its results and gradients. */
export interface Case {
  layer: string;
  title: string;
  options: object;
  params: Packages;
  inputs: Packages;
  outputs: Packages;
  gradients: { params: Packages; inputs: Packages };
}

/** All of them. */
export const CASES: readonly Case[] = vectors.cases;

/** Tensors by name, in float64 where they are not integers. */
export type Tensors = Record<string, Tensor>;

/** The arrays of a case as tensors. */
export function unpack(packages: Packages, float: DType = "float64"): Tensors {
  return Object.fromEntries(
    Object.entries(packages).flatMap(([name, packed]) => {
      if (packed === undefined) return [];
      const { shape, dtype, data } = packed;
      const options = { shape, dtype: dtype === "float64" ? float : dtype as DType };
      return [[name, tensor(data.split(" ").map(Number), options)]];
    }),
  );
}

/** A layer of ours, as the cases name what goes in and what comes out. */
// deno-lint-ignore no-explicit-any
type Layer = (params: any, inputs: Tensors, options: any) => Tensors;

const plain = (f: (params: never, x: Tensor, options: never) => Tensor): Layer =>
(
  params,
  { x, ...masks },
  options,
) => ({ output: f(params as never, x!, { ...options, ...masks } as never) });

/** PyTorch's states have an axis of layers, where there is but one, too. */
const drop = (x: Tensor) => x.shape[0] === 1 ? x.squeeze(0) : x;
const lead = (x: Tensor) => x.rank === 2 ? x.expandDims(0) : x;

const LAYERS: Readonly<Record<string, Layer>> = {
  linear: (params, { x }) => ({ output: nn.linear(params, x!) }),
  embedding: (params, { x }) => ({ output: nn.embedding(params, x!) }),
  layerNorm: plain(nn.layerNorm),
  mlp: plain(nn.mlp),
  transformerEncoderLayer: plain(nn.transformerEncoderLayer),
  transformerEncoder: plain(nn.transformerEncoder),
  batchNorm(params, { x }, options) {
    const { output, state } = nn.batchNorm(params, x!, { ...options, state: params });
    return { output, ...state };
  },
  multiHeadAttention: (params, { query, key, value, ...masks }, options) => ({
    output: nn.multiHeadAttention(params, query!, key!, value!, { ...options, ...masks }),
  }),
  lstm(params, { x, h, c }) {
    const { outputs, state } = nn.lstm(params, x!, h && { state: { h: drop(h), c: drop(c!) } });
    return { outputs, h: lead(state.h), c: lead(state.c) };
  },
  gru(params, { x, h }) {
    const { outputs, state } = nn.gru(params, x!, h && { state: drop(h) });
    return { outputs, h: lead(state) };
  },
};

/** What our layer gives in place of PyTorch's. */
function run({ layer, options }: Case, params: object, inputs: Tensors): Tensors {
  return LAYERS[layer]!(params, inputs, options);
}

/** The sum of which the cases hold gradients: Σ y · cos(position), running statistics aside. */
function weigh(outputs: Tensors): Tensor {
  const terms = Object.entries(outputs).filter(([name]) => !name.startsWith("running"))
    .map(([, y]) => {
      const positions = tensor(Float64Array.from({ length: y.size }, (_, i) => i));
      return y.mul(cos(positions).cast(y.dtype).reshape(y.shape)).sum();
    });
  return terms.reduce((a, b) => a.add(b));
}

/** Results by name, and then the gradients by floating parameters and inputs. */
export function everything(c: Case, params: Tensors, inputs: Tensors): Record<string, Tensors> {
  const isFloating = ([name, x]: [string, Tensor]) =>
    x.dtype.startsWith("float") && !/ask$|^running/.test(name);
  const [moving, still] = [params, inputs].map((tensors) => {
    const entries = Object.entries(tensors);
    return [entries.filter(isFloating), entries.filter((entry) => !isFloating(entry))]
      .map((some) => Object.fromEntries(some));
  });
  const call = (p: Tensors, x: Tensors) =>
    run(c, nn.fromStateDict({ ...p, ...moving![1] }), { ...x, ...still![1] });
  const loss = (p: Tensors, x: Tensors) => weigh(call(p, x));
  const [ofParams, ofInputs] = grad(loss, { argnums: [0, 1] })(moving![0]!, still![0]!);
  return {
    outputs: call(moving![0]!, still![0]!),
    params: ofParams as Tensors,
    inputs: ofInputs as Tensors,
  };
}

/** Asserts that results and gradients are those of the case. */
export function assertLike(
  c: Case,
  found: Record<string, Tensors>,
  tolerance: { rtol: number; atol: number },
): void {
  const expected = {
    outputs: unpack(c.outputs),
    params: unpack(c.gradients.params),
    inputs: unpack(c.gradients.inputs),
  };
  for (const [kind, tensors] of Object.entries(expected)) {
    assertEquals(Object.keys(found[kind]!).sort(), Object.keys(tensors).sort());
    for (const [name, x] of Object.entries(tensors)) {
      assertAllClose(found[kind]![name]!, x, tolerance);
    }
  }
}
