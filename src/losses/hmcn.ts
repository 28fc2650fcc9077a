/**
 * Hierarchies of cell types, and hierarchical multi-label classification.
 *
 * @module
 */
import { arange, zeros } from "../create.ts";
import { checkLabels, checkMask } from "../labels.ts";
import { floating } from "../ops/elementwise.ts";
import {
  add,
  argMax,
  cast,
  customVjp,
  div,
  equal,
  expandDims,
  gather,
  greater,
  lessEqual,
  log,
  log1p,
  max,
  maximum,
  mean,
  mul,
  neg,
  sub,
  sum,
  where,
} from "../ops/mod.ts";
import { asTensor, type Tensor, type TensorLike } from "../tensor.ts";
import { readCellLabels, readCells } from "./cells.ts";
import { negLogLikelihood } from "./class_logits.ts";
import {
  checkArray,
  checkAxes,
  checkBoolean,
  checkChoice,
  checkObject,
  readOptions,
  refuseMore,
} from "../options.ts";
import { checkProbabilities } from "../ranges.ts";
import { divideByCount } from "./reduction.ts";

/** A hierarchy of V nodes on L levels, such as `termHierarchy` of `@cellgrad/cellgrad/data` gives. */
export interface Hierarchy {
  /** (V): the level of each node, 0 for the root. */
  levels: Int32Array;
  /**
   * For each level l a (V, C_l) matrix: 1 where the class is the node itself or lies above it, else
   * 0.
   */
  membership: readonly TensorLike[];
}

/** Options of {@linkcode hmcnLoss}. */
export interface HmcnOptions {
  /** `"scGPT"` for logits; `"expr"`, the default, or UniCell's others for probabilities. */
  inputType?: "expr" | "pca" | "scFoundation" | "GeneFormer" | "scGPT" | undefined;
  /** Whether cells without a class on a level are left out of it; `false` by default. */
  maskMissingLevels?: boolean | undefined;
  /** Whether to look that probabilities are some; `true` by default. */
  check?: boolean | undefined;
}

/** What {@linkcode hmcnLoss} returns. */
export interface HmcnLosses {
  /** The loss of the levels, a scalar. */
  global: Tensor;
  /** The losses of the classes, summed over levels; a scalar. */
  local: Tensor;
}

/**
 * Hierarchical multi-label classification (HMCN) of cells that are annotated with nodes of an
 * ontology: how deep a cell's node lies (`global`), and what the cell is on each level (`local`).
 * Lower is better; both are at least 0, and 0 where probabilities equal the targets.
 *
 * - Probabilities (`inputType` `"expr"` and others): binary cross entropy, averaged over cells and
 *   classes, and for `local` summed over levels. The target of `global` is 1 for every level down to
 *   the cell's own; on each level, that of `local` is the cell's row of the membership. Logarithms
 *   are floored at −100 and gradients at `p(1 − p) = 1e-12`, as PyTorch has it.
 * - Logits (`"scGPT"`): cross entropy of the cell's level for `global`, and on each level of the first
 *   class in its row for `local`; log L and Σ_l log C_l where all logits are equal.
 *
 * UniCell combines them as `β · global + local`, with β = 0.1 or 0.5. The root level has no local
 * output; a hierarchy of one level gives `local` 0.
 *
 * **Mind shallow cells**: below its own node a cell has no class. With `"scGPT"`, the original then
 * trains it towards class 0 of that level, whatever that is: for a cell labelled with the root and
 * logits [0, 2], a loss of 2.13, as in the example. `maskMissingLevels: true` leaves the cell out of
 * the mean of such levels (0 where no cell is left), and is what we recommend for training; the
 * default is the original. With probabilities the default is a target of "none of these classes".
 * Labels that name no node are an error here; the original takes −1 for the last one.
 *
 * Source: UniCell `unicell/loss.py`, `HMCNLoss`, and `unicell/ontoGRAPH.py`; Wehrmann et al. 2018,
 * Hierarchical multi-label classification networks, https://proceedings.mlr.press/v80/wehrmann18a.
 *
 * @param globalOutput (B, L): one output per level.
 * @param localOutputs L − 1 matrices (B, C_l), for the levels 1 … L − 1.
 * @param labels (B), whole numbers in [0, V): the node of each cell.
 * @param hierarchy `levels` (V) and `membership`, L matrices (V, C_l).
 * @param options `inputType`, `"expr"` by default; `maskMissingLevels`, `false`; `check`, `true`.
 * @returns `{ global, local }`, both scalars.
 * @throws {TypeError} If shapes do not fit each other, labels are not whole numbers, or an option does
 * not exist.
 * @throws {RangeError} If a label names no node, a node's level does not exist, or a membership is
 * neither 0 nor 1; if a probability is out of [0, 1] by more than 1e-3, unless `check` is `false`.
 *
 * @example A cell that is only known to be a cell
 * ```ts
 * import { hmcnLoss } from "@cellgrad/cellgrad/losses";
 * import { assertAlmostEquals, assertEquals } from "@std/assert";
 *
 * const hierarchy = {
 *   levels: new Int32Array([0, 1, 1]),
 *   membership: [[[1], [1], [1]], [[0, 0], [1, 0], [0, 1]]],
 * };
 * const loss = (maskMissingLevels: boolean) =>
 *   hmcnLoss([[0, 0]], [[[0, 2]]], [0], hierarchy, { inputType: "scGPT", maskMissingLevels });
 * assertAlmostEquals(loss(false).global.item(), Math.LN2, 1e-6);
 * assertAlmostEquals(loss(false).local.item(), 2.126928, 1e-6);
 * assertEquals(loss(true).local.item(), 0);
 * ```
 */
export function hmcnLoss(
  globalOutput: TensorLike,
  localOutputs: readonly TensorLike[],
  labels: TensorLike,
  hierarchy: Hierarchy,
  options: HmcnOptions = {},
): HmcnLosses {
  if (arguments.length > 5) refuseMore("hmcnLoss", "options", 5, arguments);
  const caller = "hmcnLoss";
  const { inputType, maskMissingLevels, check } = readOptions(caller, options, {
    inputType: "expr",
    maskMissingLevels: false,
    check: true,
  });
  checkChoice(caller, "inputType", inputType, INPUT_TYPES);
  checkBoolean(caller, "maskMissingLevels", maskMissingLevels);
  checkBoolean(caller, "check", check);
  const { levels, membership } = readHierarchy(caller, hierarchy);
  const [global] = readCells(caller, { globalOutput: [globalOutput, "levels"] }) as [Tensor];
  checkAxes(caller, "globalOutput", global, ["cells", membership.length]);
  const locals = readLocals(caller, localOutputs, global, membership);
  const given = readCellLabels(caller, { globalOutput: global }, "labels", labels);
  const nodes = checkLabels(caller, given, levels.shape[0]!);
  const parts = locals.map((output, l) => {
    const targets = gather(membership[l + 1]!, nodes);
    if (!maskMissingLevels) return { output, targets, rows: null };
    const rows = greater(max(targets, LAST), 0);
    // What is left out need be no number.
    return { output: where(expandDims(rows, 1), output, 0.5), targets, rows };
  });
  if (check && inputType !== "scGPT") {
    checkProbabilities(caller, "globalOutput", global);
    parts.forEach(({ output }, l) => checkProbabilities(caller, `localOutputs[${l}]`, output));
  }

  const rowLosses = inputType === "scGPT" ? firstClassLosses : binaryLosses;
  const depth = expandDims(gather(levels, nodes), 1);
  const numbers = arange(membership.length, { dtype: "int32" });
  const reached = inputType === "scGPT" ? equal(numbers, depth) : lessEqual(numbers, depth);
  const local = parts.map(({ output, targets, rows }) => {
    const losses = rowLosses(output, targets);
    return rows === null ? mean(losses) : meanWhere(rows, losses);
  });
  return {
    global: mean(rowLosses(global, reached)),
    local: local.reduce((a, b) => add(a, b), zeros([], { dtype: global.dtype })),
  };
}

const INPUT_TYPES = ["expr", "pca", "scFoundation", "GeneFormer", "scGPT"];

const LAST = { axis: 1 };

function readLocals(
  caller: string,
  outputs: readonly TensorLike[],
  { shape, dtype }: Tensor,
  membership: readonly Tensor[],
): Tensor[] {
  checkArray(caller, "localOutputs", outputs);
  if (outputs.length !== membership.length - 1) {
    throw new TypeError(
      `Cannot compute ${caller} as localOutputs must hold one matrix for each level below the root: ` +
        `current values are ${outputs.length} matrices and ${membership.length} levels`,
    );
  }
  return outputs.map((output, l) => {
    const matrix = floating(asTensor(output, dtype, caller, `localOutputs[${l}]`));
    checkAxes(caller, `localOutputs[${l}]`, matrix, [shape[0]!, membership[l + 1]!.shape[1]!]);
    return matrix;
  });
}

/** For each row, the cross entropy of logits with the first class of the targets. */
function firstClassLosses(logits: Tensor, targets: Tensor): Tensor {
  return negLogLikelihood(logits, argMax(targets, LAST));
}

/** For each row, the mean binary cross entropy of probabilities. */
function binaryLosses(probabilities: Tensor, targets: Tensor): Tensor {
  return mean(binaryCrossEntropy(probabilities, cast(targets, probabilities.dtype)), LAST);
}

/** Binary cross entropy, entry by entry, with the limits of PyTorch. */
const binaryCrossEntropy: (...inputs: TensorLike[]) => Tensor = customVjp({
  name: "binaryCrossEntropy",
  forward: (p, y) =>
    neg(add(mul(y!, floorLog(log(p!))), mul(sub(1, y!), floorLog(log1p(neg(p!)))))),
  vjp: (g, _loss, [p, y]) => [
    div(mul(g, sub(p!, y!)), maximum(mul(p!, sub(1, p!)), 1e-12)),
    null,
  ],
});

function floorLog(x: Tensor): Tensor {
  return maximum(x, -100);
}

/** The mean of the losses of some rows; 0 where there are none. */
function meanWhere(rows: Tensor, losses: Tensor): Tensor {
  return divideByCount(sum(where(rows, losses, 0)), sum(rows));
}

/** A hierarchy as tensors; throws unless its parts fit each other. */
function readHierarchy(
  caller: string,
  hierarchy: Hierarchy,
): { levels: Tensor; membership: Tensor[] } {
  checkObject(caller, "hierarchy", hierarchy);
  const { levels, membership } = hierarchy;
  checkArray(caller, "hierarchy.membership", membership);
  const depths = checkLabels(caller, levels, membership.length, { argument: "hierarchy.levels" });
  checkAxes(caller, "hierarchy.levels", depths, ["nodes"]);
  const members = membership.map((rows, l) => {
    const argument = `hierarchy.membership[${l}]`;
    const matrix = checkMask(caller, rows, argument);
    checkAxes(caller, argument, matrix, [depths.size, "classes"]);
    return matrix;
  });
  return { levels: depths, membership: members };
}
