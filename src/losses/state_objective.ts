/**
 * The training objective of State's transition model.
 *
 * @module
 */
import { describe } from "../describe.ts";
import { abs, div, mean, mul, square, stopGradient, sub } from "../ops/mod.ts";
import { floating, promoteAll } from "../ops/elementwise.ts";
import { formatShape } from "../shape.ts";
import { Tensor, type TensorLike } from "../tensor.ts";
import { vmap } from "../transforms/vmap.ts";
import {
  checkAxes,
  checkChoice,
  checkNumber,
  checkSameShape,
  readOptions,
  refuseMore,
} from "../options.ts";
import { crossEntropyLoss } from "./cross_entropy.ts";
import { energyDistance } from "./energy_distance.ts";
import { checkWeights, type Objective, ObjectiveFields, weightedTotal } from "./objective.ts";
import { readEntries, reduceLosses } from "./reduction.ts";
import type {
  SetLoss,
  StateOptions,
  StateOutputs,
  StatePart,
  StateTargets,
} from "./state_fields.ts";

/**
 * The objective of State's transition model (ST), which predicts what a perturbation makes of a set of
 * cells: no cell has a partner, so sets are compared as distributions. Lower is better.
 *
 * `distribution + expressionWeight · expression + batchWeight · batch + confidenceWeight · confidence +
 * changeWeight · change`
 *
 * | part | loss, a mean over sets | in use where |
 * | --- | --- | --- |
 * | `distribution` | the distance of predicted and observed cells | always |
 * | `expression` | the same of expression | `expression` given |
 * | `batch` | {@linkcode crossEntropyLoss} of `batchLogits` | `batchLogits` given |
 * | `confidence` | `(confidence − confidenceScale · distance)²`, the distance held fixed | `confidence` given |
 * | `change` | mean of `\|predicted − control\|` | `controls` given |
 *
 * `"energy"` is `E‖x − y‖ − ½ E‖x − x'‖ − ½ E‖y − y'‖`, half of the energy distance, as geomloss has
 * it, which State calls: its `blur` changes nothing there. `"mse"` compares cell by cell, and needs as
 * many predicted as observed cells. A function takes any other loss of two sets.
 *
 * **Differs from the original**, which leaves sets of NaN out of the mean (`nanmean`); here NaN comes
 * out. Its `"se"` is a function: `(x, y) => sinkhorn.mul(0.01).add(energy)`. That it trains its decoder
 * on true cells now and then belongs into the model.
 *
 * Source: Adduri et al. 2025, https://doi.org/10.1101/2025.06.26.661135; ArcInstitute/state
 * `tx/models/state_transition.py`, `training_step`, commit 072a886.
 *
 * @param outputs The model's outputs.
 * @param targets The observed cells, and what else there is to compare with.
 * @param options `distance`, `"energy"` by default; `expressionWeight`, 1; `batchWeight`, 0.1;
 * `confidenceWeight`, 0.01; `confidenceScale`, 10; `changeWeight`, 0.
 * @returns `{ total, parts }`: the weighted sum, and the losses in use, before their weights.
 * @throws {TypeError} If an output or target that a part needs is missing, shapes do not fit, or an
 * output, target or option does not exist.
 * @throws {RangeError} If an option or a label is out of range.
 *
 * @example The same cells in another order, and cells that are off by 1
 * ```ts
 * import { stateObjective } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * const observed = { cells: [[[0], [2]]] };
 * assertEquals(stateObjective({ cells: [[[2], [0]]] }, observed).total.item(), 0);
 * assertEquals(stateObjective({ cells: [[[1], [3]]] }, observed).total.item(), 0.5);
 * ```
 */
export function stateObjective(
  outputs: StateOutputs,
  targets: StateTargets,
  options: StateOptions = {},
): Objective<StatePart> {
  if (arguments.length > 3) refuseMore("stateObjective", "options", 3, arguments);
  const caller = "stateObjective";
  const settled = readOptions(caller, options, DEFAULTS);
  const { distance, confidenceScale, ...weights } = settled;
  if (typeof distance !== "function") checkChoice(caller, "distance", distance, ["energy", "mse"]);
  checkNumber(caller, "confidenceScale", confidenceScale, { above: 0 });
  checkWeights(caller, weights);
  const fields = new ObjectiveFields(caller, { outputs, targets }, FIELDS);
  const loss = distance === "mse" ? squaredError : distance === "energy" ? energy : distance;
  const distances = setDistances(caller, fields, "cells", loss);
  const parts: { [P in StatePart]?: Tensor } = { distribution: reduceLosses(distances, "mean") };
  if (outputs.expression !== undefined || targets.expression !== undefined) {
    parts.expression = reduceLosses(setDistances(caller, fields, "expression", loss), "mean");
  }
  if (outputs.batchLogits !== undefined || targets.batchLabels !== undefined) {
    const remedy = "give both outputs.batchLogits and targets.batchLabels, or neither";
    parts.batch = crossEntropyLoss(
      fields.need("outputs.batchLogits", remedy),
      fields.need("targets.batchLabels", remedy),
    );
  }
  if (outputs.confidence !== undefined) {
    const expected = mul(stopGradient(distances), confidenceScale);
    parts.confidence = squaredError(
      ...paired(caller, { "outputs.confidence": outputs.confidence, distances: expected }),
    );
  }
  if (targets.controls !== undefined) {
    const cells = { "outputs.cells": outputs.cells, "targets.controls": targets.controls };
    parts.change = mean(abs(sub(...paired(caller, cells))));
  }
  return weightedTotal(parts, {
    expression: weights.expressionWeight,
    batch: weights.batchWeight,
    confidence: weights.confidenceWeight,
    change: weights.changeWeight,
  });
}

/** Two tensors of one shape. */
function paired(caller: string, two: Readonly<Record<string, TensorLike>>): [Tensor, Tensor] {
  return readEntries(caller, two) as [Tensor, Tensor];
}

const squaredError: SetLoss = (x, y) => mean(square(sub(x, y)));

const energy: SetLoss = (x, y) => div(energyDistance(x, y), 2);

/** The distance of each set that was predicted from the one that was observed. */
function setDistances(
  caller: string,
  fields: ObjectiveFields,
  field: "cells" | "expression",
  loss: SetLoss,
): Tensor {
  const remedy = field === "cells" ? undefined : "give both outputs and targets, or neither";
  const names = [`outputs.${field}`, `targets.${field}`] as const;
  const [x, y] = promoteAll(
    caller,
    Object.fromEntries(names.map((name) => [name, fields.need(name, remedy)])),
  ).map(
    floating,
  ) as [
    Tensor,
    Tensor,
  ];
  checkAxes(caller, names[0], x, ["sets", "cells", "features"]);
  checkAxes(caller, names[1], y, [x.shape[0]!, "cells", x.shape[2]!]);
  if (loss === squaredError) checkSameShape(caller, { [names[0]]: x, [names[1]]: y });
  return vmap((one: Tensor, other: Tensor) => asNumber(caller, loss(one, other)))(x, y);
}

/** What a distance gives, if it is a tensor of one number. */
function asNumber(caller: string, distance: unknown): Tensor {
  if (distance instanceof Tensor && distance.rank === 0) return distance;
  throw new TypeError(
    `Cannot compute ${caller} as distance must give a scalar tensor for two sets of cells: ` +
      (distance instanceof Tensor
        ? `current shape is ${formatShape(distance.shape)}`
        : `current value is ${describe(distance)}`),
  );
}

const DEFAULTS = {
  distance: "energy",
  expressionWeight: 1,
  batchWeight: 0.1,
  confidenceWeight: 0.01,
  confidenceScale: 10,
  changeWeight: 0,
} as const;

const FIELDS = {
  outputs: ["cells", "expression", "batchLogits", "confidence"],
  targets: ["cells", "expression", "batchLabels", "controls"],
};
