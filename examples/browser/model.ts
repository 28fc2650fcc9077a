/**
 * A small network for cells: one hidden layer, and an output for everything that a loss asks for.
 */
import * as cg from "@cellgrad/cellgrad";
import { type Cells, sizesOf } from "./cells.ts";
import type { LossEntry, Named } from "./loss_entry.ts";
import type { ParameterValues } from "./parameters.ts";

type Tensor = cg.Tensor;

export interface Model {
  /** (g, hidden): weights of the hidden layer. */
  first: Tensor;
  /** (hidden): its bias. */
  bias: Tensor;
  /** (hidden, width): weights of each output. */
  outputs: Named;
  /** Weights that the loss has of its own. */
  weights: Named;
}

/** A loss with the values of its parameters, and cells. */
export interface Task {
  entry: LossEntry;
  values: ParameterValues;
  cells: Cells;
}

/** Random weights to start from, the same at each call. */
export function createModel({ entry, cells }: Task, hidden: number): Model {
  const sizes = sizesOf(cells);
  const outputs = Object.entries(entry.outputs(sizes));
  const weights = Object.entries(entry.weights?.(sizes) ?? {});
  const keys = cg.splitKey(cg.key(1), 1 + outputs.length + weights.length);
  const random = (shape: readonly number[]) =>
    cg.normal(keys.pop()!, shape).div(Math.sqrt(shape.length === 2 ? shape[0]! : 1));
  return {
    first: random([sizes.genes, hidden]),
    bias: cg.zeros([hidden]),
    outputs: Object.fromEntries(outputs.map(([name, width]) => [name, random([hidden, width])])),
    weights: Object.fromEntries(weights.map(([name, shape]) => [name, random(shape)])),
  };
}

/** What the network makes of cells (n, g), by the outputs' names. */
export function forward(entry: LossEntry, model: Model, x: Tensor): Named {
  const hidden = cg.tanh(x.matmul(model.first).add(model.bias));
  return Object.fromEntries(
    Object.entries(model.outputs).map(([name, weights]) => {
      const source = entry.behindReversal?.includes(name) ? cg.gradientReversal(hidden) : hidden;
      return [name, source.matmul(weights)];
    }),
  );
}

/** What the network makes of the cells, and of a second view of them, as a loss takes them. */
export function outputsOf({ entry, cells }: Task, model: Model): { outputs: Named; second: Named } {
  const { features, views, hidden } = cells;
  if (entry.twoViews) {
    const [outputs, second] = views.map((view) => forward(entry, model, features.mul(view)));
    return { outputs: outputs!, second: second! };
  }
  const seen = entry.hides ? features.mul(hidden.cast("float32").neg().add(1)) : features;
  return { outputs: forward(entry, model, seen), second: {} };
}

/** What a training step takes and gives back. */
export interface TrainingState {
  model: Model;
  optimizer: cg.OptimizerState<Model>;
}

/** Training by Adam: where it starts, and a step, which gives the loss before it. */
export function createTraining(
  task: Task,
  { learningRate, hiddenUnits }: { learningRate: number; hiddenUnits: number },
): {
  start: TrainingState;
  step: (state: TrainingState) => { loss: Tensor; state: TrainingState };
} {
  const optimizer = cg.adam({ learningRate });
  const loss = (model: Model) =>
    task.entry.compute(
      { ...outputsOf(task, model), weights: model.weights, cells: task.cells },
      task.values,
    );
  const model = createModel(task, hiddenUnits);
  return {
    start: { model, optimizer: optimizer.init(model) },
    step: (state) => {
      const [value, gradient] = cg.valueAndGrad(loss)(state.model);
      const next = optimizer.update(gradient, state.optimizer, state.model);
      return { loss: value, state: { model: next.params, optimizer: next.state } };
    },
  };
}
