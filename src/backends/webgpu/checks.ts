/**
 * Values that are not allowed: labels without a class, positions outside of an axis, masks that are
 * none. The host looks where the values come from its side; else the device does, and tells of what
 * it found with the next read.
 *
 * @module
 */
import { allocate, type DType, type TypedArray } from "../../dtype.ts";
import type { Forbidden, Spec } from "../../op.ts";
import { Bounds } from "../../program/bounds.ts";
import type { Graph, Step, ValueId } from "../../program/graph.ts";
import { sizeOf } from "../../shape.ts";
import { fromData, type Tensor } from "../../tensor.ts";

/** Values to look at. */
export interface Check {
  /** Which, and where there are some, which values say that they count. */
  readonly values: readonly ValueId[];
  /** Their shapes and types. */
  readonly specs: readonly [Spec, Spec?];
  /** A number that is not 0 where there is something to find. */
  readonly flag: ValueId | undefined;
  /** What must not be there. */
  readonly forbidden: Forbidden;
  /** Throws where values are not allowed. */
  verify(...values: Tensor[]): void;
}

/** What is looked for in a step's input, besides computing its result; `undefined` for nothing. */
export function checkOf({ op, inputs, params, output }: Step, graph: Graph): Check | undefined {
  const specs = inputs.map((id) => graph.values[id]!);
  const refusal = op.refuses?.(specs, params, graph.values[output]!);
  if (refusal === undefined) return undefined;
  const { forbidden, verify } = refusal;
  const values = refusal.inputs.map((i) => inputs[i!]!);
  const isPosition = op.kind !== "check" && forbidden.kind === "outside" && forbidden.low === 0;
  if (isPosition && new Bounds(graph).isBelow(values[0]!, forbidden.high + 1)) return undefined;
  const [first, mask] = values.map((id) => graph.values[id]!);
  const flag = refusal.flag === undefined ? undefined : inputs[refusal.flag]!;
  return { values, specs: mask ? [first!, mask] : [first!], flag, forbidden, verify };
}

/** Whether a value `x` is what must not be there, in WGSL. */
export function predicateOf(forbidden: Forbidden, dtype: DType): string {
  const isFloat = dtype === "float32" || dtype === "float64";
  const orNaN = (found: string, nan: boolean) =>
    isFloat ? nan ? `${IS_NAN} || (${found})` : `!(${IS_NAN}) && (${found})` : found;
  switch (forbidden.kind) {
    case "outside": {
      const { low, high, except, nan = false } = forbidden;
      const limit = isFloat ? single : integer;
      const tests = [
        ...low === -Infinity ? [] : [`x < ${limit(low)}`],
        ...high === Infinity ? [] : [`x > ${limit(high)}`],
      ];
      const found = tests.join(" || ") || "false";
      return orNaN(except === undefined ? found : `(${found}) && x != ${limit(except)}`, nan);
    }
    case "fraction":
      return orNaN("x < -0x1p31f || x >= 0x1p31f || trunc(x) != x", true);
    case "untrue":
      return orNaN("x != 0 && x != 1", true);
    case "nothing":
      return "x != 0u";
  }
}

const IS_NAN = "(bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u";

function single(value: number): string {
  const limited = Math.min(LARGEST_SINGLE, Math.max(-LARGEST_SINGLE, value));
  return `f32(${limited})`;
}

/** The largest number of float32. */
const LARGEST_SINGLE = (2 - 2 ** -23) * 2 ** 127;

function integer(value: number): string {
  const limited = Math.min(2 ** 31 - 1, Math.max(-(2 ** 31), value));
  return `i32(${limited})`;
}

/** How the host finds the values of a check: what it needs, and what is done to that. */
export interface HostPath {
  /** The numbers of the program's inputs. */
  readonly inputs: readonly number[];
  readonly steps: readonly Step[];
}

/** Kinds of steps that no check is worth. */
const HOST_NEVER: ReadonlySet<string> = new Set(["sort", "random", "loop"]);

/** The steps that lead to values, when they are few and cheap: no step on floating numbers. */
export function hostPath(ids: readonly ValueId[], graph: Graph): HostPath | undefined {
  const steps: Step[] = [];
  const inputs = new Set<number>();
  const needed = new Set(ids);
  for (const step of graph.steps.toReversed()) {
    if (!needed.has(step.output)) continue;
    const { dtype } = graph.values[step.output]!;
    if (dtype !== "int32" && dtype !== "bool") return undefined;
    if (HOST_NEVER.has(step.op.kind)) return undefined;
    steps.unshift(step);
    step.inputs.forEach((input) => needed.add(input));
  }
  for (const value of needed) {
    const input = graph.inputs.indexOf(value);
    if (input >= 0) inputs.add(input);
  }
  return { inputs: [...inputs], steps };
}

/** Does a check on the host. */
export function verifyOnHost(
  { values: looked, verify }: Check,
  { inputs, steps }: HostPath,
  graph: Graph,
  given: readonly Tensor[],
): void {
  const values = new Map<ValueId, Tensor>(graph.constants);
  for (const i of inputs) values.set(graph.inputs[i]!, given[i]!);
  for (const { op, inputs: from, params, output } of steps) {
    const spec = graph.values[output]!;
    const data = op.forward(from.map((id) => values.get(id)!), params, spec);
    values.set(output, fromData(data, spec.shape, spec.dtype));
  }
  verify(...looked.map((id) => values.get(id)!));
}

/** Throws what the host would have thrown, had it seen the values that the device noted. */
export function throwNoted(
  { specs, forbidden, verify }: Check,
  position: number,
  bits: number,
): void {
  const word = Uint32Array.of(bits).buffer;
  const harmless = forbidden.kind === "outside" ? Math.max(forbidden.low, 0) : 0;
  const [{ shape, dtype }, mask] = specs;
  const filled = (type: DType, value: number) => allocate(type, sizeOf(shape)).fill(value);
  const data: TypedArray = filled(dtype, harmless);
  const isWhole = dtype === "int32" || dtype === "bool";
  data[position - 1] = isWhole ? new Int32Array(word)[0]! : new Float32Array(word)[0]!;
  const masks = mask === undefined ? [] : [fromData(filled(mask.dtype, 1), shape, mask.dtype)];
  verify(fromData(data, shape, dtype), ...masks);
}
