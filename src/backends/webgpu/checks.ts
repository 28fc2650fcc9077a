/**
 * Values that are not allowed: labels without a class, positions outside of an axis, masks that are
 * none. The host looks where the values come from its side; else the device does, and tells of what
 * it found with the next read.
 *
 * @module
 */
import { allocate, type DType, type TypedArray } from "../../dtype.ts";
import type { Refusal, Spec } from "../../op.ts";
import { isBelow } from "../../program/bounds.ts";
import { type Graph, refusalOf, type Step, type ValueId } from "../../program/graph.ts";
import { sizeOf } from "../../shape.ts";
import { fromData, type Tensor } from "../../tensor.ts";

/** Values to look at, and what must not be among them. */
export interface Check extends Pick<Refusal, "forbidden" | "verify"> {
  /** Which, and where there are some, which values say that they count. */
  readonly values: readonly ValueId[];
  /** Their shapes and types. */
  readonly specs: readonly [Spec, Spec?];
  /** A number that is not 0 where there is something to find. */
  readonly flag: ValueId | undefined;
  /** How the host finds the values: from which of the program's inputs; `undefined` where it cannot. */
  readonly path:
    | { readonly inputs: readonly number[]; readonly steps: readonly Step[] }
    | undefined;
}

/**
 * What is looked for in a step's input, besides computing its result; `undefined` for nothing. The
 * host sees no values of a loop's body.
 */
export function checkOf(step: Step, graph: Graph, isBody: boolean): Check | undefined {
  const refusal = refusalOf(step, graph);
  if (refusal === undefined) return undefined;
  const { op, inputs } = step;
  const { forbidden, verify } = refusal;
  const values = refusal.inputs.map((i) => inputs[i!]!);
  const isPosition = op.kind !== "check" && forbidden.kind === "outside" && forbidden.low === 0;
  if (isPosition && isBelow(values[0]!, forbidden.high + 1, graph)) return undefined;
  const specs = values.map((id) => graph.values[id]!) as [Spec, Spec?];
  const flag = refusal.flag === undefined ? undefined : inputs[refusal.flag]!;
  const path = isBody ? undefined : hostPath(values, graph);
  return { values, specs, flag, forbidden, path, verify };
}

/** Kinds of steps that no check is worth. */
const HOST_NEVER: ReadonlySet<string> = new Set(["sort", "random", "loop"]);

/** The steps that lead to values, when they are few and cheap: no step on floating numbers. */
function hostPath(ids: readonly ValueId[], graph: Graph): Check["path"] {
  const steps: Step[] = [];
  const needed = new Set(ids);
  for (const step of graph.steps.toReversed()) {
    if (!needed.has(step.output)) continue;
    const { dtype } = graph.values[step.output]!;
    if (dtype !== "int32" && dtype !== "bool") return undefined;
    if (HOST_NEVER.has(step.op.kind)) return undefined;
    steps.unshift(step);
    step.inputs.forEach((input) => needed.add(input));
  }
  return { inputs: [...graph.inputs.keys()].filter((i) => needed.has(graph.inputs[i]!)), steps };
}

/** Does a check on the host. */
export function verifyOnHost(
  { values: looked, path, verify }: Check,
  graph: Graph,
  given: readonly Tensor[],
): void {
  const { inputs, steps } = path!;
  const values = new Map<ValueId, Tensor>(graph.constants);
  for (const i of inputs) values.set(graph.inputs[i]!, given[i]!);
  for (const { op, inputs: from, params, output } of steps) {
    const spec = graph.values[output]!;
    const data = op.forward(from.map((id) => values.get(id)!), params, spec);
    values.set(output, fromData(data, spec.shape, spec.dtype));
  }
  verify(...looked.map((id) => values.get(id)!));
}

/** Throws what the host would have thrown, had it seen the values that the device noted, if any. */
export function throwNoted(checks: readonly Check[], words: ArrayBuffer): void {
  const noted = new Uint32Array(words);
  const found = checks.findIndex((_, i) => noted[2 * i] !== 0);
  if (found < 0) return;
  const { specs, forbidden, verify } = checks[found]!;
  const [position, bits] = noted.subarray(2 * found) as unknown as [number, number];
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
