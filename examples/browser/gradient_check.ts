/**
 * A loss of a few cells: its value, its gradient by all that the loss is handed, and whether
 * differences agree.
 */
import {
  compile,
  type Device,
  gradientReversal,
  type Tensor,
  tensor,
  valueAndGrad,
} from "@cellgrad/cellgrad";
import { checkGradients } from "@cellgrad/cellgrad/testing";
import { sampleCells } from "./cells.ts";
import type { Named } from "./loss_entry.ts";
import { createModel, outputsOf, type Task } from "./model.ts";

export interface GradientEntry {
  /** Which input of the loss it belongs to. */
  input: string;
  /** Where in the input it is, such as `[3, 0]`. */
  position: string;
  derivative: number;
  /** The same by central differences. */
  difference: number;
}

/** What is known of a loss at one point. */
export interface GradientCheck {
  value: number;
  gradients: Named;
  /** How many derivatives agree with their differences. */
  checked: number;
  /** How many lie at kinks. */
  skipped: number;
  /** What does not agree; `undefined` if all does. */
  failure: string | undefined;
  largest: readonly GradientEntry[];
}

/** How many cells and genes are looked at. */
const [CELLS, GENES, HIDDEN] = [12, 8, 16];

/** A loss as a function of its inputs alone. */
export interface Point {
  inputs: Named;
  loss: (inputs: Named) => Tensor;
}

/** The loss of a few of the cells, as a function of what the network hands to it, in float64. */
export function samplePoint(task: Task): Point {
  const { entry, values } = task;
  const cells = sampleCells(task.cells, CELLS, GENES);
  const small = { ...task, cells };
  const model = createModel(small, HIDDEN);
  const { outputs, second } = outputsOf(small, model);
  const named = (prefix: string, tensors: Named) =>
    Object.entries(tensors).map(([name, x]) => [prefix + name, x.cast("float64")] as const);
  const groups = { "": outputs, "second ": second, "weights ": model.weights };
  const inputs = Object.fromEntries(Object.entries(groups).flatMap(([p, t]) => named(p, t)));
  const pick = (from: Named, prefix: string, like: Named) =>
    Object.fromEntries(Object.keys(like).map((name) => [name, from[prefix + name]!]));
  const loss = (given: Named) =>
    entry.compute({
      outputs: pick(given, "", outputs),
      second: pick(given, "second ", second),
      weights: pick(given, "weights ", model.weights),
      cells,
    }, values);
  return { inputs, loss };
}

/**
 * The value and the gradient of a loss at a point, with so many of the largest derivatives, and
 * whether differences agree.
 */
export function checkPoint(task: Task, { inputs, loss }: Point, entries = 6): GradientCheck {
  const [value, gradients] = valueAndGrad(loss)(inputs);
  const names = Object.keys(inputs);
  const [direct, factor] = undoReversal(task, loss);
  const positional = (...xs: Tensor[]) =>
    direct(Object.fromEntries(names.map((name, i) => [name, xs[i]!])));
  let report = { checked: 0, skipped: 0 };
  let failure: string | undefined;
  try {
    report = checkGradients(positional, Object.values(inputs), { atol: atolOf(value.item()) });
  } catch (error) {
    failure = (error as Error).message;
  }
  const largest = names
    .flatMap((name) =>
      Array.from(gradients[name]!.data, (derivative, at) => ({ name, derivative, at }))
    )
    .sort((a, b) => Math.abs(b.derivative) - Math.abs(a.derivative))
    .slice(0, entries)
    .map(({ name, derivative, at }) => ({
      input: name,
      position: positionOf(inputs[name]!, at),
      derivative,
      difference: factor(name) * differenceOf(loss, inputs, name, at),
    }));
  return { value: value.item(), gradients, ...report, failure, largest };
}

/** How far off differences of a loss may be: of a large one they lack the digits of its size. */
function atolOf(value: number): number {
  return 1e-8 + (Number.isFinite(value) ? 1e-10 * Math.abs(value) : 0);
}

/**
 * The loss without the reversal of its gradient, which no difference can see, and the factors that
 * the reversal puts on gradients.
 */
function undoReversal(
  { entry: { reverses }, values }: Task,
  loss: Point["loss"],
): [Point["loss"], (name: string) => number] {
  const scale = reverses?.scale(values) ?? 0;
  if (reverses === undefined) return [loss, () => 1];
  const { output } = reverses;
  const factor = (name: string) => name === output ? -scale : 1;
  if (scale === 0) return [(x) => loss({ ...x, [output]: x[output]!.mul(0) }), factor];
  return [
    (x) => loss({ ...x, [output]: gradientReversal(x[output]!, { scale: 1 / scale }) }),
    factor,
  ];
}

function differenceOf(loss: Point["loss"], inputs: Named, name: string, at: number): number {
  const x = inputs[name]!;
  const step = 6e-6 * Math.max(1, Math.abs(x.data[at]!));
  const moved = (offset: number) => {
    const data = Float64Array.from(x.data);
    data[at]! += offset;
    return loss({ ...inputs, [name]: tensor(data, { shape: x.shape }) }).item();
  };
  return (moved(step) - moved(-step)) / (2 * step);
}

function positionOf({ shape }: Tensor, at: number): string {
  const position: number[] = [];
  for (let axis = shape.length - 1, rest = at; axis >= 0; axis--) {
    position.unshift(rest % shape[axis]!);
    rest = Math.floor(rest / shape[axis]!);
  }
  return `[${position.join(", ")}]`;
}

/** A value and gradients that a device computed in float32. */
export interface DeviceResult {
  value: number;
  /** How far the gradients are off at most, by the size of the largest entry. */
  gradientError: number;
}

/** Computes the same on a device, in float32. */
export async function computeOn(
  { inputs, loss }: Point,
  check: GradientCheck,
  device: Device,
): Promise<DeviceResult> {
  const narrow = Object.fromEntries(
    Object.entries(inputs).map(([name, x]) => [name, x.cast("float32")]),
  );
  await using program = await compile(valueAndGrad(loss), [narrow], { device });
  const [value, gradients] = await program(narrow);
  const names = Object.keys(inputs);
  const [found, ...data] = await Promise.all(
    [value, ...names.map((name) => gradients[name]!)].map((x) => x.read()),
  );
  let [scale, worst] = [1e-12, 0];
  names.forEach((name, i) =>
    check.gradients[name]!.data.forEach((expected: number, k: number) => {
      scale = Math.max(scale, Math.abs(expected));
      worst = Math.max(worst, Math.abs(expected - data[i]![k]!));
    })
  );
  return { value: found![0]!, gradientError: worst / scale };
}
