/**
 * Recurrent networks: LSTM and GRU, as loops over time that are recorded once.
 *
 * @module
 */
import { zeros } from "../create.ts";
import { type DType, promoteTypes } from "../dtype.ts";
import { checkAxes, checkObject, readOptions, refuseMore } from "../options.ts";
import {
  add,
  cast,
  matmul,
  mul,
  reshape,
  sigmoid,
  split,
  stack,
  sub,
  tanh,
  transpose,
} from "../ops/mod.ts";
import type { Tensor, TensorLike } from "../tensor.ts";
import { scan } from "../transforms/loops.ts";
import { project } from "./linear.ts";
import {
  checkCount,
  checkFeatures,
  checkNames,
  type Initialized,
  type InitOptions,
  keysFor,
  leavesOf,
  readDType,
  takeInput,
  uniformWithin,
} from "./params.ts";

/**
 * Parameters of {@linkcode lstm} and {@linkcode gru}, as PyTorch names them: for every layer,
 * counted from 0, `weight_ih_l0` (gates · hidden, inputs), `weight_hh_l0` (gates · hidden, hidden),
 * and where there are biases, `bias_ih_l0` and `bias_hh_l0` (gates · hidden).
 */
export interface RecurrentParams {
  /** A parameter. */
  readonly [name: string]: TensorLike;
}

/** The state of an LSTM. */
export interface LstmState {
  /** (batch, hidden), or (layers, batch, hidden) for more than one: what layers put out. */
  h: TensorLike;
  /** The same of their cells. */
  c: TensorLike;
}

/** Options of {@linkcode lstm}. */
export interface LstmOptions {
  /** The state before the first step; zeros by default. */
  state?: LstmState | undefined;
}

/** Options of {@linkcode gru}. */
export interface GruOptions {
  /**
   * (batch, hidden), or (layers, batch, hidden): the state before the first step; zeros by default.
   */
  state?: TensorLike | undefined;
}

/** What {@linkcode lstm} returns. */
export interface LstmResult {
  /** (time, batch, hidden): what the last layer puts out. */
  outputs: Tensor;
  /** The state after the last step. */
  state: Initialized<LstmState>;
}

/** What {@linkcode gru} returns. */
export interface GruResult {
  /** (time, batch, hidden): what the last layer puts out. */
  outputs: Tensor;
  /** The state after the last step. */
  state: Tensor;
}

/** A kind of recurrent network. */
interface Kind {
  caller: string;
  /** How many values there are for each hidden one. */
  gates: number;
  /** The parts of the state, the output first, as messages name them. */
  parts: readonly string[];
  /** The next state, given what comes in and what the last output leads to. */
  step(state: readonly Tensor[], incoming: Tensor, recurrent: Tensor): Tensor[];
}

const LSTM: Kind = {
  caller: "lstm",
  gates: 4,
  parts: ["state.h", "state.c"],
  step([, c], incoming, recurrent) {
    const [input, forget, cell, output] = split(add(incoming, recurrent), 4, { axis: -1 });
    const next = add(mul(sigmoid(forget!), c!), mul(sigmoid(input!), tanh(cell!)));
    return [mul(sigmoid(output!), tanh(next)), next];
  },
};

const GRU: Kind = {
  caller: "gru",
  gates: 3,
  parts: ["state"],
  step([h], incoming, recurrent) {
    const [reset, update, fresh] = split(incoming, 3, { axis: -1 });
    const [resetBy, updateBy, freshBy] = split(recurrent, 3, { axis: -1 });
    const kept = sigmoid(add(update!, updateBy!));
    const next = tanh(add(fresh!, mul(sigmoid(add(reset!, resetBy!)), freshBy!)));
    return [add(next, mul(kept, sub(h!, next)))];
  },
};

/**
 * Long short-term memory over time (Hochreiter and Schmidhuber 1997), in one layer or several:
 * `i, f, g, o` are the parts of `W_ih·x + b_ih + W_hh·h + b_hh`; then `c ← σ(f)·c + σ(i)·tanh(g)`,
 * `h ← σ(o)·tanh(c)`. The steps are a `scan`: a program has one of them, whatever the length.
 *
 * @param params `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`; `_l1` is a second layer.
 * @param x (time, batch, features)
 * @param options `state`, `{ h, c }`: (batch, hidden) for one layer, (layers, batch, hidden) for
 * more; zeros by default.
 * @returns `{ outputs, state }`: (time, batch, hidden) of the last layer, and the state at the end.
 * @throws {TypeError} If a parameter is missing or left over (another direction, a projection), or
 * the shapes do not fit.
 *
 * @example Ten steps for two cells
 * ```ts
 * import { initLstm, lstm } from "@cellgrad/cellgrad/nn";
 * import { key, normal } from "@cellgrad/cellgrad/random";
 * import { assertEquals } from "@std/assert";
 *
 * const params = initLstm(key(0), 3, 8);
 * const { outputs, state } = lstm(params, normal(key(1), [10, 2, 3]));
 * assertEquals([outputs.shape, state.c.shape], [[10, 2, 8], [2, 8]]);
 * ```
 */
export function lstm(
  params: RecurrentParams,
  x: TensorLike,
  options: LstmOptions = {},
): LstmResult {
  if (arguments.length > 3) refuseMore("lstm", "options", 3, arguments);
  const { state } = readOptions("lstm", options, { state: undefined });
  let given: TensorLike[] | undefined;
  if (state !== undefined) {
    checkNames({ caller: "lstm", path: "state" }, state, ["h", "c"]);
    given = [state.h, state.c];
  }
  const { outputs, states: [h, c] } = run(LSTM, params, x, given);
  return { outputs, state: { h: h!, c: c! } };
}

/**
 * Gated recurrent units over time (Cho et al. 2014), in one layer or several, as PyTorch has them:
 * `r = σ(W_ir·x + b_ir + W_hr·h + b_hr)`, `z` likewise,
 * `n = tanh(W_in·x + b_in + r·(W_hn·h + b_hn))`, and `h ← (1 − z)·n + z·h`. The steps are a `scan`.
 *
 * @param params `weight_ih_l0`, `weight_hh_l0`, `bias_ih_l0`, `bias_hh_l0`; `_l1` is a second layer.
 * @param x (time, batch, features)
 * @param options `state`: (batch, hidden) for one layer, (layers, batch, hidden) for more; zeros by
 * default.
 * @returns `{ outputs, state }`: (time, batch, hidden) of the last layer, and the state at the end.
 * @throws {TypeError} If a parameter is missing or left over (another direction), or the shapes do
 * not fit.
 *
 * @example Ten steps for two cells, in two layers
 * ```ts
 * import { gru, initGru } from "@cellgrad/cellgrad/nn";
 * import { key, normal } from "@cellgrad/cellgrad/random";
 * import { assertEquals } from "@std/assert";
 *
 * const params = initGru(key(0), 3, 8, { layers: 2 });
 * const { outputs, state } = gru(params, normal(key(1), [10, 2, 3]));
 * assertEquals([outputs.shape, state.shape], [[10, 2, 8], [2, 2, 8]]);
 * ```
 */
export function gru(params: RecurrentParams, x: TensorLike, options: GruOptions = {}): GruResult {
  if (arguments.length > 3) refuseMore("gru", "options", 3, arguments);
  const { state } = readOptions("gru", options, { state: undefined });
  const { outputs, states } = run(GRU, params, x, state === undefined ? undefined : [state]);
  return { outputs, state: states[0]! };
}

/** The parameters of one layer. */
interface Layer {
  weight: Tensor;
  bias: Tensor | undefined;
  recurrentWeight: Tensor;
  recurrentBias: Tensor | undefined;
}

/** All layers, one behind the other. */
function run(
  kind: Kind,
  params: unknown,
  x: TensorLike,
  given: readonly TensorLike[] | undefined,
): { outputs: Tensor; states: Tensor[] } {
  const layers = readLayers(kind, params);
  const rows = takeInput(kind.caller, "x", x, layers[0]!.weight);
  checkAxes(kind.caller, "x", rows, ["time", "batch", "features"]);
  checkFeatures(kind.caller, "x", rows, layers[0]!.weight.shape[1]!);
  const [single, batch] = [layers.length === 1, rows.shape[1]!];
  const hidden = layers[0]!.recurrentWeight.shape[1]!;
  const starts = given?.map((value, i) => {
    const state = takeInput(kind.caller, kind.parts[i]!, value, layers[0]!.weight);
    const axes = single ? [batch, hidden] : [layers.length, batch, hidden];
    checkAxes(kind.caller, kind.parts[i]!, state, axes);
    return single ? [state] : split(state, layers.length).map((x) => reshape(x, [batch, hidden]));
  });
  let outputs = rows;
  const last = layers.map((layer, l) => {
    const first = kind.parts.map((_, i) => starts?.[i]?.[l] ?? zeros([batch, hidden]));
    const [state, ys] = runLayer(kind, layer, outputs, first);
    outputs = ys;
    return state;
  });
  const joined = kind.parts.map((_, i) => single ? last[0]![i]! : stack(last.map((s) => s[i]!)));
  return { outputs, states: joined };
}

/** One layer over all steps: its state at the end, and what it puts out. */
function runLayer(
  kind: Kind,
  { weight, bias, recurrentWeight, recurrentBias }: Layer,
  x: Tensor,
  first: readonly Tensor[],
): [Tensor[], Tensor] {
  const incoming = project(x, weight, bias);
  const types: DType[] = [recurrentWeight, ...first, ...recurrentBias ? [recurrentBias] : []]
    .map(({ dtype }) => dtype);
  const dtype = types.reduce(promoteTypes, incoming.dtype);
  const across = transpose(recurrentWeight);
  const step = (state: Tensor[], row: Tensor): [Tensor[], Tensor] => {
    const product = matmul(state[0]!, across);
    const recurrent = recurrentBias === undefined ? product : add(product, recurrentBias);
    const next = kind.step(state, row, recurrent);
    return [next, next[0]!];
  };
  return scan(step, first.map((part) => cast(part, dtype)), cast(incoming, dtype));
}

/** The parameters of all layers. */
function readLayers({ caller, gates }: Kind, params: unknown): Layer[] {
  const place = { caller, path: "params" };
  checkObject(caller, place.path, params);
  const found = Object.keys(params as object).filter((name) => /^weight_ih_l\d+$/.test(name));
  const numbers = Array.from({ length: Math.max(1, found.length) }, (_, l) => l);
  checkNames(
    place,
    params,
    numbers.flatMap((l) => [`weight_ih_l${l}`, `weight_hh_l${l}`]),
    numbers.flatMap((l) => [`bias_ih_l${l}`, `bias_hh_l${l}`]),
  );
  const hidden = leavesOf(place, params, ["weight_hh_l0"]).weight_hh_l0.shape[1] ?? 0;
  return numbers.map((l) => {
    const read = (name: string, ...axes: (string | number)[]) => {
      const full = `${name}_l${l}`;
      const tensor = leavesOf<never, string>(place, params, [full])[full];
      if (tensor !== undefined) checkAxes(caller, `params.${full}`, tensor, axes);
      return tensor;
    };
    const recurrentWeight = read(
      "weight_hh",
      gates * hidden || `${gates} · hidden`,
      hidden || "hidden",
    )!;
    return {
      weight: read("weight_ih", gates * hidden, l === 0 ? "inputs" : hidden)!,
      bias: read("bias_ih", gates * hidden),
      recurrentWeight,
      recurrentBias: read("bias_hh", gates * hidden),
    };
  });
}

/** Options of {@linkcode initLstm} and {@linkcode initGru}. */
export interface InitRecurrentOptions extends InitOptions {
  /** How many layers; 1 by default. */
  layers?: number | undefined;
}

/**
 * Parameters of an LSTM: all uniform within ±1/√hidden, as those of PyTorch.
 *
 * @param key A random key.
 * @param inputs How many features come in.
 * @param hidden How many go out.
 * @param options `layers`, 1 by default; `dtype`, `float32` by default.
 * @returns `{ weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, … }`.
 * @throws {TypeError} If `key` is no random key, or an option is unknown.
 * @throws {RangeError} If a number is not a whole number of at least 1.
 *
 * @example Four gates
 * ```ts
 * import { initLstm } from "@cellgrad/cellgrad/nn";
 * import { key } from "@cellgrad/cellgrad/random";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(initLstm(key(0), 3, 8).weight_ih_l0!.shape, [32, 3]);
 * ```
 */
export function initLstm(
  key: Tensor,
  inputs: number,
  hidden: number,
  options: InitRecurrentOptions = {},
): Initialized<RecurrentParams> {
  if (arguments.length > 4) refuseMore("initLstm", "options", 4, arguments);
  return makeRecurrent("initLstm", LSTM.gates, key, { inputs, hidden, options });
}

/**
 * Parameters of gated recurrent units: all uniform within ±1/√hidden, as those of PyTorch.
 *
 * @param key A random key.
 * @param inputs How many features come in.
 * @param hidden How many go out.
 * @param options `layers`, 1 by default; `dtype`, `float32` by default.
 * @returns `{ weight_ih_l0, weight_hh_l0, bias_ih_l0, bias_hh_l0, … }`.
 * @throws {TypeError} If `key` is no random key, or an option is unknown.
 * @throws {RangeError} If a number is not a whole number of at least 1.
 *
 * @example Three gates
 * ```ts
 * import { initGru } from "@cellgrad/cellgrad/nn";
 * import { key } from "@cellgrad/cellgrad/random";
 * import { assertEquals } from "@std/assert";
 *
 * assertEquals(initGru(key(0), 3, 8).weight_hh_l0!.shape, [24, 8]);
 * ```
 */
export function initGru(
  key: Tensor,
  inputs: number,
  hidden: number,
  options: InitRecurrentOptions = {},
): Initialized<RecurrentParams> {
  if (arguments.length > 4) refuseMore("initGru", "options", 4, arguments);
  return makeRecurrent("initGru", GRU.gates, key, { inputs, hidden, options });
}

interface Draft {
  inputs: number;
  hidden: number;
  options: InitRecurrentOptions;
}

function makeRecurrent(
  caller: string,
  gates: number,
  key: Tensor,
  { inputs, hidden, options }: Draft,
): Initialized<RecurrentParams> {
  const { layers, dtype: given } = readOptions(caller, options, { layers: 1, dtype: undefined });
  for (const [name, n] of Object.entries({ inputs, hidden, layers })) checkCount(caller, name, n);
  const dtype = readDType(caller, { dtype: given });
  const keys = keysFor(caller, key, 4 * layers);
  const shapes = Array.from({ length: layers }, (_, l) => [
    [`weight_ih_l${l}`, [gates * hidden, l === 0 ? inputs : hidden]] as const,
    [`weight_hh_l${l}`, [gates * hidden, hidden]] as const,
    [`bias_ih_l${l}`, [gates * hidden]] as const,
    [`bias_hh_l${l}`, [gates * hidden]] as const,
  ]).flat();
  return Object.fromEntries(shapes.map(([name, shape], i) => {
    return [name, uniformWithin(keys[i]!, shape, 1 / Math.sqrt(hidden), dtype)];
  }));
}
