/**
 * Values that are not allowed: labels without a class, positions outside of an axis, masks that are
 * none. The host looks where the values come from its side; else the device does, and tells of what
 * it found with the next read.
 *
 * @module
 */
import { allocate, type TypedArray } from "../../dtype.ts";
import {
  checkLabelsOp,
  type CheckLabelsParams,
  checkMaskOp,
  requireSomeOp,
  toIntegersOp,
} from "../../labels.ts";
import type { Spec } from "../../op.ts";
import { castOp } from "../../ops/layout.ts";
import { argMaxOp, argMinOp } from "../../ops/reduce.ts";
import {
  argSortOp,
  gatherOp,
  scatterAddOp,
  type SortParams,
  takeAlongAxisOp,
} from "../../ops/select.ts";
import type { Graph, Step, ValueId } from "../../program/graph.ts";
import { isAlias } from "../../program/plan.ts";
import { bernoulliOp, permutationOp } from "../../random/ops.ts";
import { sizeOf } from "../../shape.ts";
import { fromData, type Tensor } from "../../tensor.ts";

/** Values to look at. */
export interface Check {
  /** Which. */
  readonly value: ValueId;
  /** Their shape and type. */
  readonly spec: Spec;
  /** What to look for, of a value `x`, in WGSL. */
  readonly predicate: string;
  /** Whether finding one is wrong, or finding none. */
  readonly wanted: "first" | "none";
  /** Throws where values are not allowed. */
  verify(values: Tensor): void;
}

/** What to look for in an input of a step. */
interface Rule extends Pick<Check, "predicate"> {
  /** Which input. */
  index?: number;
  wanted?: Check["wanted"];
  /** By default, the operation itself throws. */
  verify?: Check["verify"];
}

/** What is looked for in a step's input, besides computing its result; `undefined` for nothing. */
export function checkOf(step: Step, graph: Graph): Check | undefined {
  const { op, inputs, params, output } = step;
  const rule = RULES.get(op)?.(step, graph);
  if (rule === undefined) return undefined;
  const { index = 0, predicate, wanted = "first" } = rule;
  const value = inputs[index]!;
  const own = (x: Tensor) => void op.forward([x], params, graph.values[output]!);
  return { value, spec: graph.values[value]!, predicate, wanted, verify: rule.verify ?? own };
}

const NOT_WHOLE = "!(x >= -0x1p31f && x < 0x1p31f && trunc(x) == x)";
const NEITHER = "x != 0 && x != 1";

const RULES = new Map<unknown, (step: Step, graph: Graph) => Rule | undefined>([
  [checkLabelsOp, labelsRule],
  [toIntegersOp, () => ({ predicate: NOT_WHOLE })],
  [checkMaskOp, () => ({ predicate: NEITHER })],
  [requireSomeOp, () => ({ predicate: "x != 0u", wanted: "none" })],
  [castOp, castRule],
  [gatherOp, positionsRule],
  [scatterAddOp, positionsRule],
  [takeAlongAxisOp, positionsRule],
  [bernoulliOp, probabilityRule],
]);

function labelsRule({ params }: Step): Rule {
  const { count, ignore } = params as CheckLabelsParams;
  const known = ignore === undefined ? "" : ` && x != ${integer(ignore)}`;
  return { predicate: `(x < 0i || x >= ${integer(count)})${known}` };
}

/** A cast may meet values that its target does not have. */
function castRule({ inputs, output }: Step, graph: Graph): Rule | undefined {
  const [from, to] = [graph.values[inputs[0]!]!.dtype, graph.values[output]!.dtype];
  if (from === to || from === "bool") return undefined;
  if (to === "bool") return { predicate: NEITHER };
  return to === "int32" ? { predicate: NOT_WHOLE } : undefined;
}

function positionsRule({ op, inputs, params }: Step, graph: Graph): Rule | undefined {
  const count = graph.values[inputs[0]!]!.shape[params as number]!;
  if (isWithin(inputs[1]!, count, graph)) return undefined;
  const positions = { caller: op.name, count, argument: "indices" };
  const verify = (x: Tensor) => void checkLabelsOp.forward([x], positions, x);
  return { index: 1, predicate: `x < 0i || x >= ${integer(count)}`, verify };
}

function probabilityRule({ op, params }: Step): Rule {
  const spec: Spec = { shape: [0], dtype: "bool" };
  const verify = (x: Tensor) => void op.forward([ANY_KEY, x], params, spec);
  return { index: 1, predicate: "!(x >= 0f && x <= 1f)", verify };
}

const ANY_KEY = fromData(new Int32Array(2));

function integer(value: number): string {
  const limited = Math.min(2 ** 31 - 1, Math.max(-(2 ** 31), value));
  return `i32(${limited})`;
}

/** Whether values are certain to be positions below `count`, as those of sorting are. */
function isWithin(id: ValueId, count: number, graph: Graph): boolean {
  const step = graph.steps.find(({ output }) => output === id);
  if (step === undefined) return false;
  const { op, params, inputs } = step;
  const from = graph.values[inputs[0]!]!.shape;
  if (op as unknown === argSortOp) return from[(params as SortParams).axis]! <= count;
  if (([argMaxOp, argMinOp] as unknown[]).includes(op)) {
    const { axes } = params as { axes: readonly number[] };
    return sizeOf(axes.map((axis) => from[axis]!)) <= count;
  }
  if (op as unknown === permutationOp) return graph.values[id]!.shape[0]! <= count;
  if (op as unknown === checkLabelsOp) {
    const own = params as CheckLabelsParams;
    if (own.count <= count && own.ignore === undefined) return true;
  }
  const moves = ["broadcastTo", "transpose", "slice", "gather", "takeAlongAxis"].includes(op.name);
  return (moves || isAlias(step, graph)) && isWithin(inputs[0]!, count, graph);
}

/** How the host finds the values of a check: what it needs, and what is done to that. */
export interface HostPath {
  /** The numbers of the program's inputs. */
  readonly inputs: readonly number[];
  readonly steps: readonly Step[];
}

/** The steps that lead to a value, when they are few and cheap: no step on floating numbers. */
export function hostPath(id: ValueId, graph: Graph): HostPath | undefined {
  const steps: Step[] = [];
  const inputs = new Set<number>();
  const needed = new Set([id]);
  for (const step of graph.steps.toReversed()) {
    if (!needed.has(step.output)) continue;
    const { dtype } = graph.values[step.output]!;
    if (dtype !== "int32" && dtype !== "bool") return undefined;
    if (SEARCHES.includes(step.op)) return undefined;
    steps.unshift(step);
    step.inputs.forEach((input) => needed.add(input));
  }
  for (const value of needed) {
    const input = graph.inputs.indexOf(value);
    if (input >= 0) inputs.add(input);
  }
  return { inputs: [...inputs], steps };
}

const SEARCHES: readonly unknown[] = [argSortOp, argMaxOp, argMinOp, permutationOp, bernoulliOp];

/** Does a check on the host. */
export function verifyOnHost(
  { value, verify }: Check,
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
  verify(values.get(value)!);
}

/** Throws what the host would have thrown, had it seen the values that the device noted. */
export function throwNoted({ spec, verify }: Check, position: number, bits: number): void {
  const { shape, dtype } = spec;
  const data: TypedArray = allocate(dtype, sizeOf(shape));
  const word = Uint32Array.of(bits).buffer;
  data[position - 1] = dtype === "float32" ? new Float32Array(word)[0]! : new Int32Array(word)[0]!;
  verify(fromData(data, shape, dtype));
}
