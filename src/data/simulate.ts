/**
 * Simulated cells, for when there are none at hand and for when the truth must be known.
 *
 * @module
 */
import { exponentials } from "../../kernels/random/eager.ts";
import { checkArray, checkNumber, readOptions, refuseMore, type Settled } from "../options.ts";
import {
  bernoulli,
  foldIn,
  gamma,
  key,
  normal,
  permutation,
  poisson,
  split,
  uniform,
} from "../random.ts";
import { checkSize } from "../shape.ts";
import { fromData, type Tensor } from "../tensor.ts";
import { type CellTree, completeTree, ramp } from "./cell_tree.ts";

/** Options of {@linkcode simulateCells}. */
export interface SimulateCellsOptions {
  /** How many cells; 600 by default. */
  cells?: number | undefined;
  /** How many genes; 200 by default. */
  genes?: number | undefined;
  /** How many cell types, the leaves of the tree; 6 by default. */
  types?: number | undefined;
  /** How common each type is, relative to the others; 1, ½, ⅓, … by default. */
  typeWeights?: readonly number[] | undefined;
  /** The share of genes that change along each branch of the tree; 0.1 by default. */
  markers?: number | undefined;
  /** The typical log-fold change of such a gene; 1.3 by default. */
  markerStrength?: number | undefined;
  /** How far back cells lie: 0, all at their type; 1, as far as the root; 0.25 by default. */
  trajectory?: number | undefined;
  /** How many batches; 1 by default. */
  batches?: number | undefined;
  /** The standard deviation of the genes' log-fold changes in a batch; 0.3 by default. */
  batchStrength?: number | undefined;
  /** The median of the cells' expected total counts; 1000 by default. */
  librarySize?: number | undefined;
  /** The standard deviation of the logarithm of expected total counts; 0.4 by default. */
  librarySpread?: number | undefined;
  /** The dispersion φ: counts of mean μ have variance μ + φμ²; 0.4 by default, 0 is Poisson. */
  dispersion?: number | undefined;
  /** The probability that a count is lost and reads 0; 0.1 by default. */
  dropout?: number | undefined;
  /** The seed: the same one gives the same cells, on every platform; 0 by default. */
  seed?: number | undefined;
}

/** What {@linkcode simulateCells} gives: the counts, and the truth behind them. */
export interface SimulatedCells {
  /** The (cells, genes) counts, `float32`. */
  counts: Tensor;
  /** The names of the genes. */
  geneNames: string[];
  /** The cells' types. */
  labels: Int32Array;
  /** The names of the types. */
  typeNames: string[];
  /** The tree that the types are the leaves of. */
  tree: CellTree;
  /** The cells' batches, 0 to `batches` − 1. */
  batches: Int32Array;
  /** The cells' expected total counts, before dropout. */
  librarySizes: Float64Array;
  /** How far the cells have come from the root (0) to their type (1). */
  pseudotime: Float64Array;
  /** The (cells, genes) expression free of noise, depth and batch, `float32`. */
  expression: Tensor;
  /** The (cells, genes) derivative of `expression` by pseudotime, `float32`. */
  velocity: Tensor;
}

const DEFAULTS = {
  cells: 600,
  genes: 200,
  types: 6,
  typeWeights: undefined,
  markers: 0.1,
  markerStrength: 1.3,
  trajectory: 0.25,
  batches: 1,
  batchStrength: 0.3,
  librarySize: 1000,
  librarySpread: 0.4,
  dispersion: 0.4,
  dropout: 0.1,
  seed: 0,
};

type Settings = Settled<SimulateCellsOptions, typeof DEFAULTS>;

const WHOLE = { integer: true, min: 1, max: 2 ** 31 - 1 };

/** What the options that are numbers may be. */
const RANGES = {
  cells: WHOLE,
  genes: WHOLE,
  types: { ...WHOLE, max: 2 ** 16 },
  markers: { min: 0, max: 1 },
  markerStrength: { min: 0, max: 5 },
  trajectory: { min: 0, max: 1 },
  batches: { ...WHOLE, max: 2 ** 16 },
  batchStrength: { min: 0, max: 5 },
  librarySize: { min: 1, max: 1e7 },
  librarySpread: { min: 0, max: 2 },
  dispersion: { min: 0, max: 100 },
  dropout: { min: 0, max: 1 },
  seed: { integer: true, min: 0, max: Number.MAX_SAFE_INTEGER },
};

/**
 * Simulates single-cell counts of known types, batches, trajectories and velocities.
 *
 * Types are the leaves of a binary tree. Along each branch its marker genes change by random
 * log-fold changes, so that types share the markers of the branches they have in common. A cell of
 * pseudotime t has the expression
 *
 *   x(t) = exp(baseline + Σ changes(branch)·ramp(branch, t))
 *
 * over the branches from the root to its type, where ramps go from 0 to 1 in turn; its velocity is
 * dx/dt. Counts are negative binomial (gamma–Poisson) with mean `librarySize·x/Σx`, each gene
 * shifted by its batch, library sizes log-normal, and some counts lost to dropout. The first batch
 * is the one without shifts.
 *
 * @param options Sizes, strengths and `seed`.
 * @returns The counts, and the truth behind them.
 * @throws {TypeError} If an option is unknown, or `typeWeights` not one per type.
 * @throws {RangeError} If an option is out of range.
 *
 * @example Twelve cells of three types
 * ```ts
 * import { simulateCells } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const { counts, labels, typeNames } = simulateCells({ cells: 12, genes: 30, types: 3 });
 * assertEquals(counts.shape, [12, 30]);
 * assertEquals(labels.length, 12);
 * assertEquals(typeNames, ["type 0", "type 1", "type 2"]);
 * ```
 */
export function simulateCells(options: SimulateCellsOptions = {}): SimulatedCells {
  if (arguments.length > 1) refuseMore("simulateCells", "options", 1, arguments);
  const settings = settle(options);
  const { cells, genes, types, librarySize, librarySpread } = settings;
  const [typeKey, timeKey, batchKey, shiftKey, programmeKey, sizeKey, countKey] = split(
    key(settings.seed),
    7,
  ) as [Tensor, Tensor, Tensor, Tensor, Tensor, Tensor, Tensor];
  const tree = completeTree(types);
  const labels = assignTypes(typeKey, settings);
  const order = permutation(batchKey, cells).data;
  const batches = Int32Array.from(order, (position) => position % settings.batches);
  const back = uniform(timeKey, [cells], FLOAT64).data;
  const pseudotime = Float64Array.from(back, (u) => 1 - settings.trajectory * u);
  const programmes = drawProgrammes(programmeKey, tree.parents.length, settings);
  const { expression, velocity } = follow(tree, programmes, labels, pseudotime, genes);
  const sizes = normal(sizeKey, [cells], FLOAT64).data;
  const librarySizes = exponentials(Float64Array.from(sizes, (z) => librarySpread * z))
    .map((x) => librarySize * x);
  const shifts = drawShifts(shiftKey, settings);
  const means = expectedCounts(expression, librarySizes, batches, shifts);
  const shape = [cells, genes];
  return {
    counts: fromData(drawCounts(countKey, means, settings), shape),
    geneNames: Array.from({ length: genes }, (_, i) => `gene ${i}`),
    labels,
    typeNames: tree.names.slice(types - 1),
    tree,
    batches,
    librarySizes,
    pseudotime,
    expression: fromData(Float32Array.from(expression), shape),
    velocity: fromData(Float32Array.from(velocity), shape),
  };
}

const FLOAT64 = { dtype: "float64" } as const;

/** Types in proportion to their weights, in random order. */
function assignTypes(typeKey: Tensor, { cells, types, typeWeights }: Settings): Int32Array {
  const weights = typeWeights ?? Array.from({ length: types }, (_, type) => 1 / (type + 1));
  const total = weights.reduce((a, b) => a + b, 0);
  const labels = new Int32Array(cells);
  let type = 0;
  let upTo = weights[0]! / total;
  permutation(typeKey, cells).data.forEach((cell: number, i: number) => {
    while ((i + 0.5) / cells > upTo && type + 1 < types) upTo += weights[++type]! / total;
    labels[cell] = type;
  });
  return labels;
}

/** In row 0 every gene's baseline, in row b what changes along the branch to node b. */
function drawProgrammes(
  programmeKey: Tensor,
  nodes: number,
  { genes, markers, markerStrength }: Settings,
): Float64Array {
  const programmes = new Float64Array(nodes * genes);
  programmes.set(normal(foldIn(programmeKey, 0), [genes], FLOAT64).data);
  for (let node = 1; node < nodes; node++) {
    const [orderKey, changeKey] = split(foldIn(programmeKey, node)) as [Tensor, Tensor];
    const order = permutation(orderKey, genes).data;
    const z = normal(changeKey, [genes], FLOAT64).data;
    for (let i = 0; i < Math.round(markers * genes); i++) {
      programmes[node * genes + order[i]!] = markerStrength * (1 + 0.5 * z[i]!);
    }
  }
  return programmes;
}

/** Every cell's expression at its pseudotime, and the derivative. */
function follow(
  tree: CellTree,
  programmes: Float64Array,
  labels: Int32Array,
  pseudotime: Float64Array,
  genes: number,
): { expression: Float64Array; velocity: Float64Array } {
  const expression = new Float64Array(labels.length * genes);
  const velocity = new Float64Array(labels.length * genes);
  const firstType = (tree.parents.length - 1) / 2;
  labels.forEach((label, cell) => {
    const level = programmes.slice(0, genes);
    const slope = new Float64Array(genes);
    for (let node = firstType + label; node > 0; node = tree.parents[node]!) {
      const { value, derivative } = ramp(tree, node, pseudotime[cell]!);
      for (let g = 0; g < genes; g++) {
        level[g]! += value * programmes[node * genes + g]!;
        slope[g]! += derivative * programmes[node * genes + g]!;
      }
    }
    const row = exponentials(level);
    expression.set(row, cell * genes);
    velocity.set(row.map((x, g) => x * slope[g]!), cell * genes);
  });
  return { expression, velocity };
}

/** Each batch's factors on the genes; 1 in the first batch. */
function drawShifts(
  shiftKey: Tensor,
  { batches, batchStrength, genes }: Settings,
): Float64Array[] {
  return Array.from({ length: batches }, (_, batch) => {
    const z = normal(foldIn(shiftKey, batch), [genes], FLOAT64).data;
    return exponentials(Float64Array.from(z, (value) => batch === 0 ? 0 : batchStrength * value));
  });
}

/** The library sizes, divided among the genes in proportion to shifted expression. */
function expectedCounts(
  expression: Float64Array,
  librarySizes: Float64Array,
  batches: Int32Array,
  shifts: readonly Float64Array[],
): Float64Array {
  const means = new Float64Array(expression.length);
  const genes = expression.length / librarySizes.length;
  librarySizes.forEach((size, cell) => {
    const shift = shifts[batches[cell]!]!;
    const row = means.subarray(cell * genes, (cell + 1) * genes);
    let total = 0;
    for (let g = 0; g < genes; g++) {
      total += row[g] = expression[cell * genes + g]! * shift[g]!;
    }
    for (let g = 0; g < genes; g++) row[g]! *= size / total;
  });
  return means;
}

/** Negative binomial counts, some of them lost. */
function drawCounts(
  countKey: Tensor,
  means: Float64Array,
  { dispersion, dropout }: Settings,
): Float32Array {
  const [rateKey, moleculeKey, lossKey] = split(countKey, 3) as [Tensor, Tensor, Tensor];
  const shape = [means.length];
  if (dispersion > 0) {
    const factors = gamma(rateKey, 1 / dispersion, { shape, ...FLOAT64 }).data;
    means = means.map((mean, i) => mean * dispersion * factors[i]!);
  }
  const molecules = poisson(moleculeKey, means).data;
  const lost = bernoulli(lossKey, dropout, { shape }).data;
  return Float32Array.from(molecules, (count, i) => lost[i] === 0 ? count : 0);
}

/** The options with defaults; throws where one is unknown or out of range. */
function settle(options: SimulateCellsOptions): Settings {
  const settings = readOptions("simulateCells", options, DEFAULTS);
  for (const [name, range] of Object.entries(RANGES)) {
    checkNumber("simulateCells", name, settings[name as keyof typeof RANGES], range);
  }
  const { types, typeWeights } = settings;
  if (typeWeights !== undefined) checkArray("simulateCells", "typeWeights", typeWeights);
  if (typeWeights !== undefined && typeWeights.length !== types) {
    throw new TypeError(
      `Cannot compute simulateCells as typeWeights must hold one weight for each of the ` +
        `${types} types: current length is ${typeWeights.length}`,
    );
  }
  typeWeights?.forEach((weight, type) =>
    checkNumber("simulateCells", `typeWeights[${type}]`, weight, { above: 0 })
  );
  const { cells, genes, batches } = settings;
  for (const rows of [cells, 2 * types - 1, batches]) {
    checkSize("simulateCells", [rows, genes], "float64");
  }
  return settings;
}
