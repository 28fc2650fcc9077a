/**
 * Partial likelihood of survival times.
 *
 * @module
 */
import { arange, zeros } from "../create.ts";
import { checkMask } from "../labels.ts";
import {
  any,
  argSort,
  cumLogSumExp,
  cumMax,
  gather,
  isNaN,
  lessEqual,
  min,
  notEqual,
  roll,
  scatterAdd,
  sub,
  sum,
  where,
} from "../ops/mod.ts";
import { floating } from "../ops/elementwise.ts";
import { asOperand, type Tensor, type TensorLike } from "../tensor.ts";
import { checkReduction, reduceLosses, type Reduction } from "./reduction.ts";
import { checkAxes, checkSameShape, readOptions, refuseMore } from "../options.ts";

/** Options of {@linkcode coxLoss}. */
export interface CoxOptions {
  /** What is returned; `"mean"` by default, over events. */
  reduction?: Reduction | undefined;
}

/**
 * Cox's negative log partial likelihood of survival times, with Breslow's handling of ties: whether
 * those who have the event are those with the largest hazard among all who are still there. Lower is
 * better; at least 0, in nats per event.
 *
 * `L = −Σ_{i: event} [h_i − log Σ_{j: t_j ≥ t_i} e^{h_j}] / #events`, for the log-hazards h
 *
 * Only the order of times counts, and they need not be sorted. Whoever is censored at a time is still
 * there for the events of that time. A constant added to all h changes nothing. Without any event it
 * is 0, with gradient 0. It takes time of n log n: a sort, and running sums from the last time back,
 * relative to the largest hazard so far, so that log-hazards of any size are safe. A time of NaN makes
 * all of it NaN, as nobody knows who was there; log-hazards of those who leave before the first event
 * may be NaN.
 *
 * In float32, whole numbers above 2^24 may become equal times: pass `int32` or `float64`.
 *
 * **Differs from the originals**: pycox's `cox_ph_loss` takes the order of the rows for that of equal
 * times, so that its value depends on it, and adds 1e-7 to sums relative to the largest hazard of all,
 * so that low ones vanish; for no event it is 0/0. lifelines and R's `coxph` handle ties by Efron's
 * method by default, which is the same where there are none, and both report the sum over events.
 *
 * Source: Cox 1972, https://doi.org/10.1111/j.2517-6161.1972.tb00899.x; Breslow 1974,
 * https://doi.org/10.2307/2529620.
 *
 * @param logHazard (n): the logarithm of each one's hazard, up to a constant.
 * @param times (n): when the event was, or until when there was none.
 * @param events (n): booleans, or zeros and ones: 1 where there was an event, 0 where censored.
 * @param options `reduction`, `"mean"` by default, over events; `"none"` is 0 where censored.
 * @returns A scalar; with `reduction: "none"`, (n).
 * @throws {TypeError} If the arguments are no vectors of one length, or an option does not exist.
 * @throws {RangeError} If an event is neither 0 nor 1.
 *
 * @example Three of equal hazard, one of them censored
 * ```ts
 * import { coxLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals } from "@std/assert";
 *
 * // Three were there for the first event, at 2, and one for the last, at 7.
 * const loss = coxLoss([0, 0, 0], [7, 2, 5], [1, 1, 0]);
 * assertAlmostEquals(loss.item(), Math.log(3) / 2, 1e-6);
 * ```
 */
export function coxLoss(
  logHazard: TensorLike,
  times: TensorLike,
  events: TensorLike,
  options: CoxOptions = {},
): Tensor {
  if (arguments.length > 4) refuseMore("coxLoss", "options", 4, arguments);
  const { reduction } = readOptions("coxLoss", options, { reduction: "mean" });
  checkReduction("coxLoss", reduction);
  const [given, t] = [
    floating(asOperand("coxLoss", logHazard, "logHazard")),
    asOperand("coxLoss", times, "times"),
  ];
  const happened = checkMask("coxLoss", events, "events");
  checkAxes("coxLoss", "logHazard", given, ["cells"]);
  checkSameShape("coxLoss", { logHazard: given, times: t, events: happened });
  const h = given.size === 0 ? given : where(isAtRisk(t, happened), given, 0);
  const losses = where(happened, sub(logRisks(h, t), h), 0);
  const known = where(any(isNaN(t)), NaN, losses);
  return reduceLosses(known, reduction, sum(happened));
}

/** Whether some event happens while one is there. */
function isAtRisk(t: Tensor, happened: Tensor): Tensor {
  return lessEqual(min(where(happened, t, Infinity)), t);
}

/** `log Σ e^h` over all whose time is at least each one's own. */
function logRisks(h: Tensor, t: Tensor): Tensor {
  const count = h.shape[0]!;
  const order = argSort(t);
  const sorted = gather(t, order);
  const running = cumLogSumExp(gather(h, order), { reverse: true });
  const places = arange(count, { dtype: "int32" });
  const firsts = cumMax(where(notEqual(sorted, roll(sorted, 1)), places, 0));
  return scatterAdd(zeros([count], { dtype: h.dtype }), order, gather(running, firsts));
}
