/**
 * What scANVI has beside scVI: cell types that may be unknown, and latent variables of two levels.
 *
 * @module
 */
import { checkLabels } from "../labels.ts";
import {
  add,
  div,
  exp,
  expandDims,
  log,
  logSoftmax,
  mean,
  mul,
  neg,
  notEqual,
  oneHot,
  square,
  sub,
  sum,
  transpose,
  where,
} from "../ops/mod.ts";
import { floating } from "../ops/elementwise.ts";
import { asTensor, type Tensor, type TensorLike } from "../tensor.ts";
import { checkAxes } from "../options.ts";
import { checkDistributions } from "../ranges.ts";
import { checkSameCells, readCells } from "./cells.ts";
import { normalKl } from "./gaussian.ts";
import type { ObjectiveFields } from "./objective.ts";
import { readEntries } from "./reduction.ts";

/** The label of cells that have none. */
export const UNKNOWN = -1;

/** How likely each type is, (types, cells), and the mean divergence from the prior. */
export function readTypes(
  caller: string,
  fields: ObjectiveFields,
  cells: Tensor,
  conditionOnLabels: boolean,
): { shares: Tensor; divergence: Tensor } {
  const [logits] = readCells(caller, {
    "outputs.classLogits": [fields.need("outputs.classLogits"), "types"],
  }) as [Tensor];
  checkSameCells(caller, { "outputs.logRate": cells, "outputs.classLogits": logits });
  const count = logits.shape[1]!;
  const logShares = logSoftmax(logits);
  const given = fields.find("targets.labelPrior");
  const prior = given === undefined
    ? asTensor(-Math.log(count), logits.dtype)
    : log(readPrior(caller, given, count, logits));
  const shares = exp(logShares);
  const divergence = sum(mul(shares, sub(logShares, prior)), { axis: 1 });
  if (!conditionOnLabels) return { shares: transpose(shares), divergence: mean(divergence) };
  const remedy = "give it, or set conditionOnLabels to false";
  const known = fields.need("targets.labels", remedy);
  const labels = asTensor(known, "float64", caller, "targets.labels");
  checkAxes(caller, "targets.labels", labels, [cells.shape[0]!]);
  const whole = checkLabels(caller, labels, count, { ignore: UNKNOWN, argument: "targets.labels" });
  const isKnown = notEqual(whole, UNKNOWN);
  const own = oneHot(where(isKnown, whole, 0), count, { dtype: logits.dtype });
  return {
    shares: transpose(where(expandDims(isKnown, 1), own, shares)),
    divergence: mean(where(isKnown, 0, divergence)),
  };
}

function readPrior(caller: string, given: TensorLike, count: number, logits: Tensor): Tensor {
  const prior = floating(asTensor(given, logits.dtype, caller, "targets.labelPrior"));
  checkAxes(caller, "targets.labelPrior", prior, [count]);
  checkDistributions(caller, "targets.labelPrior", expandDims(prior, 0));
  return prior;
}

/** What z₁ and z₂ cost, averaged over types. */
export function latentParts(
  caller: string,
  fields: ObjectiveFields,
  cells: Tensor,
  shares: Tensor,
): { z1: Tensor; klZ2: Tensor } {
  const need = (names: readonly string[]) =>
    readEntries(
      caller,
      Object.fromEntries(names.map((name) => [`outputs.${name}`, fields.need(`outputs.${name}`)])),
    );
  const [z, m, v] = need(["z1", "mean", "logVariance"]) as [Tensor, Tensor, Tensor];
  const [pm, pv] = need(["priorMean", "priorLogVariance"]) as [Tensor, Tensor];
  const [m2, v2] = need(["z2Mean", "z2LogVariance"]) as [Tensor, Tensor];
  const [types, count] = shares.shape as [number, number];
  checkAxes(caller, "outputs.z1", z, [cells.shape[0]!, "dimensions"]);
  checkAxes(caller, "outputs.priorMean", pm, [types, count, z.shape[1]!]);
  checkAxes(caller, "outputs.z2Mean", m2, [types, count, "dimensions"]);
  const expected = (byType: Tensor) => mean(sum(mul(shares, byType), { axis: 0 }));
  return {
    z1: sub(expected(surprise(expandDims(z, 0), pm, pv)), mean(surprise(z, m, v))),
    klZ2: expected(normalKl(m2, v2, { reduction: "none" })),
  };
}

/** `−log N(z | m, e^v)` of each row, but for a constant. */
function surprise(z: Tensor, m: Tensor, v: Tensor): Tensor {
  const off = mul(sub(z, m), exp(div(neg(v), 2)));
  return div(sum(add(square(off), v), { axis: -1 }), 2);
}
