/**
 * A simulated perturbation experiment whose effects are known.
 *
 * Genes belong to pathways. Activating a gene raises the gene itself and moves its pathways, in
 * proportion to its loadings, and with them all their genes; two genes that are activated together
 * move them less than the sum of both, as pathways saturate. So what a gene does can be guessed from
 * how it behaves in other cells: that is what a model has to find out. Besides, every perturbation
 * moves the first pathway, as cells answer to being perturbed at all.
 */
import { log1p, type Tensor, tensor } from "@cellgrad/cellgrad";
import { normalizeTotal } from "@cellgrad/cellgrad/data";
import { bernoulli, foldIn, gamma, key, normal, poisson, uniform } from "@cellgrad/cellgrad/random";
import { type Condition, type DesignSizes, drawConditions } from "./design.ts";

/** How large the experiment is. */
export interface ExperimentSizes extends DesignSizes {
  /** Genes that are measured; the first `perturbable` of them can be activated. */
  genes: number;
  pathways: number;
  controls: number;
  cellsPerCondition: number;
}

/** The cells, and the truth behind them. */
export interface Experiment {
  /** (cells, genes): log-normalized expression. */
  expression: Tensor;
  /** The condition of each cell; −1 for control. */
  conditionOf: Int32Array;
  /** The type of each cell: 0 or 1. */
  types: Int32Array;
  conditions: Condition[];
  /** Per condition and gene: the known effect, a natural log-fold change of the expected share. */
  effects: Float64Array[];
}

/** What a cell's expression is made of. */
interface Programme {
  /** (genes): log expression at rest. */
  baseline: Float64Array;
  /** (genes, pathways): how a gene follows a pathway. */
  loadings: Float64Array;
  /** (2, pathways): the activity of each pathway in each cell type. */
  typeActivity: Float64Array;
  pathways: number;
}

/** How far an activation moves a pathway, per unit of loading. */
const PATHWAY_STRENGTH = 1.3;
/** No combination moves a pathway further than this. */
const SATURATION = 1.6;
/** What every activation does to the first pathway, as cells answer to being perturbed at all. */
const STRESS = 0.6;
/** The log-fold change of the activated gene itself. */
const DIRECT = 1;
/** Expected counts per cell and gene. */
const DEPTH = 25;
/** Counts of mean μ have variance μ + 0.2 μ². */
const DISPERSION = 0.2;
/** How much pathways vary between cells of one type. */
const ACTIVITY_SPREAD = 0.35;

const F64 = { dtype: "float64" } as const;

/** Simulates the experiment; the same seed gives the same cells. */
export function simulateExperiment(sizes: ExperimentSizes, seed: number): Experiment {
  const root = key(seed);
  const programme = drawProgramme(foldIn(root, 0), sizes);
  const conditions = drawConditions(foldIn(root, 1), sizes);
  const cells = sizes.controls + conditions.length * sizes.cellsPerCondition;
  const conditionOf = Int32Array.from(
    { length: cells },
    (_, cell) => Math.floor((cell - sizes.controls) / sizes.cellsPerCondition),
  ).map((condition) => Math.max(-1, condition));
  const types = Int32Array.from(
    bernoulli(foldIn(root, 2), 0.5, { shape: [cells] }).data as Uint8Array,
  );
  const shifts = conditions.map((condition) => shiftOf(programme, condition));
  const means = expectedCounts(foldIn(root, 3), programme, conditionOf, types, shifts, sizes.genes);
  const counts = drawCounts(foldIn(root, 4), means);
  return {
    expression: log1p(normalizeTotal(tensor(counts, { shape: [cells, sizes.genes] }))),
    conditionOf,
    types,
    conditions,
    effects: shifts.map((shift) => knownEffect(programme, shift)),
  };
}

/** Every gene follows one pathway, and every third a second one. */
function drawProgramme(drawKey: Tensor, { genes, pathways }: ExperimentSizes): Programme {
  const loadings = new Float64Array(genes * pathways);
  const draws = uniform(foldIn(drawKey, 0), [genes, 6], F64).data;
  for (let gene = 0; gene < genes; gene++) {
    const [which, size, sign, also, other, less] = draws.slice(
      gene * 6,
      gene * 6 + 6,
    ) as unknown as [number, number, number, number, number, number];
    const first = Math.floor(which * pathways);
    loadings[gene * pathways + first] = (sign < 0.7 ? 1 : -1) * (0.5 + 0.6 * size);
    if (also > 1 / 3) continue;
    const second = (first + 1 + Math.floor(other * (pathways - 1))) % pathways;
    loadings[gene * pathways + second] = (less < 0.5 ? 1 : -1) * (0.3 + 0.4 * Math.abs(less - 0.5));
  }
  return {
    baseline: Float64Array.from(normal(foldIn(drawKey, 1), [genes], F64).data, (z) => 0.7 * z),
    loadings,
    typeActivity: Float64Array.from(normal(foldIn(drawKey, 2), [2 * pathways], F64).data),
    pathways,
  };
}

/** What a condition adds to the pathways, and to the genes themselves. */
interface Shift {
  pathways: Float64Array;
  genes: readonly number[];
}

function shiftOf({ loadings, pathways }: Programme, { genes }: Condition): Shift {
  const sums = Float64Array.from(
    { length: pathways },
    (_, pathway) =>
      genes.reduce((sum, gene) => sum + PATHWAY_STRENGTH * loadings[gene * pathways + pathway]!, 0),
  );
  const shift = sums.map((sum) => SATURATION * Math.tanh(sum / SATURATION));
  shift[0]! += STRESS;
  return { pathways: shift, genes };
}

/** The log expression of a gene whose pathways have some activity. */
function logExpression(
  { baseline, loadings, pathways }: Programme,
  gene: number,
  activity: ArrayLike<number>,
  shift: Shift | undefined,
): number {
  let level = baseline[gene]! + (shift?.genes.includes(gene) ? DIRECT : 0);
  for (let pathway = 0; pathway < pathways; pathway++) {
    const moved = activity[pathway]! + (shift?.pathways[pathway] ?? 0);
    level += loadings[gene * pathways + pathway]! * moved;
  }
  return level;
}

/** Expected counts (cells, genes): depth times the share of a gene. */
function expectedCounts(
  drawKey: Tensor,
  programme: Programme,
  conditionOf: Int32Array,
  types: Int32Array,
  shifts: readonly Shift[],
  genes: number,
): Float64Array {
  const { pathways, typeActivity } = programme;
  const cells = types.length;
  const noise = normal(foldIn(drawKey, 0), [cells, pathways], F64).data;
  const depths = normal(foldIn(drawKey, 1), [cells], F64).data;
  const means = new Float64Array(cells * genes);
  for (let cell = 0; cell < cells; cell++) {
    const activity = Float64Array.from(
      { length: pathways },
      (_, pathway) =>
        typeActivity[types[cell]! * pathways + pathway]! +
        ACTIVITY_SPREAD * noise[cell * pathways + pathway]!,
    );
    const shift = shifts[conditionOf[cell]!];
    const row = means.subarray(cell * genes, (cell + 1) * genes);
    row.forEach((_, gene) => row[gene] = Math.exp(logExpression(programme, gene, activity, shift)));
    const total = row.reduce((a, b) => a + b, 0);
    const depth = DEPTH * genes * Math.exp(0.25 * depths[cell]!);
    row.forEach((value, gene) => row[gene] = value * depth / total);
  }
  return means;
}

/** Negative binomial counts. */
function drawCounts(drawKey: Tensor, means: Float64Array): Float32Array {
  const shape = [means.length];
  const factors = gamma(foldIn(drawKey, 0), 1 / DISPERSION, { shape, ...F64 }).data;
  const rates = means.map((mean, i) => mean * DISPERSION * factors[i]!);
  return Float32Array.from(poisson(foldIn(drawKey, 1), rates).data);
}

/** The log-fold change of each gene's share, for cells between both types. */
function knownEffect(programme: Programme, shift: Shift): Float64Array {
  const { baseline, typeActivity, pathways } = programme;
  const activity = Float64Array.from(
    { length: pathways },
    (_, pathway) => (typeActivity[pathway]! + typeActivity[pathways + pathway]!) / 2,
  );
  const shares = (applied: Shift | undefined) => {
    const levels = baseline.map((_, gene) => logExpression(programme, gene, activity, applied));
    const total = levels.reduce((sum, level) => sum + Math.exp(level), 0);
    return levels.map((level) => level - Math.log(total));
  };
  const rest = shares(undefined);
  return shares(shift).map((level, gene) => level - rest[gene]!);
}
