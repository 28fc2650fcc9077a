/** Cells on the move: expression now, expression a little later, and the true direction. */
import { log, type Tensor, tensor } from "@cellgrad/cellgrad";
import { simulateCells } from "@cellgrad/cellgrad/data";
import { foldIn, key, normal, permutation } from "@cellgrad/cellgrad/random";
import { UsageError } from "../arguments.ts";

/** Cells whose future is known. */
export interface Trajectory {
  /** Where they come from, in words. */
  source: string;
  /** What the numbers are, in words. */
  unit: string;
  timeUnit: string;
  genes: string[];
  /** Expression now (cells, genes). */
  expression: Tensor;
  /** Expression `dt` later, as it was read (cells, genes). */
  future: Tensor;
  /** The time between the two. */
  dt: number;
  /** The true change per unit of time (cells, genes), which the training does not see. */
  velocity: Tensor;
  /** The time of each cell. */
  time: Float64Array;
  /** The fate of each cell: an index of `fates`. */
  labels: Int32Array;
  fates: string[];
  /** Cells to learn from. */
  train: Int32Array;
  /** Cells held out; none of them is the future of one that is learned from. */
  test: Int32Array;
}

/** The time between the two readings of a simulated cell, as a share of its way. */
const STEP = 0.1;

/** Standard deviation of a reading, in units of log expression. */
const READING_NOISE = 0.08;

/** One cell of so many is held out. */
const HELD_OUT = 5;

/**
 * Simulated cells of four fates, on the way from their common root. Each is read twice, `dt` apart,
 * with fresh noise; between the readings it moves as its velocity says.
 */
export function simulatedTrajectory(cells: number, seed: number): Trajectory {
  const { expression, velocity, pseudotime, labels, typeNames, geneNames } = simulateCells({
    cells,
    genes: 60,
    types: 4,
    typeWeights: [1, 1, 1, 1],
    markers: 0.15,
    trajectory: 1,
    seed,
  });
  const level = log(expression);
  const change = velocity.div(expression); // of the logarithm
  const noise = (reading: number) =>
    normal(foldIn(key(seed), reading), level.shape).mul(READING_NOISE);
  const order = permutation(foldIn(key(seed), 2), cells).data as Int32Array;
  const heldOut = Math.floor(cells / HELD_OUT);
  return {
    source: "simulateCells()",
    unit: "log expression",
    timeUnit: "the way from root to fate",
    genes: geneNames,
    expression: level.add(noise(0)),
    future: level.add(change.mul(STEP)).add(noise(1)),
    dt: STEP,
    velocity: change,
    time: pseudotime,
    labels,
    fates: typeNames,
    train: order.slice(heldOut),
    test: order.slice(0, heldOut),
  };
}

/** Steps of the file between a cell and its future. */
const LAG = 4;

/** Steps on both sides of a cell that its true direction is fitted to. */
const WINDOW = 5;

/** Steps of the file per unit of time. */
const STEPS_PER_UNIT = 10;

/** Runs are cut into blocks of so many steps, of which every fifth is held out. */
const BLOCK = 8;

/** One simulated run: expression at each step. */
type RunSteps = number[][];

/**
 * Reads runs of scanpy's simulated haematopoiesis (`krumsiek11.txt`): a `#` line with the names of
 * the genes, then one line per step, each run beginning with step 0.
 */
export async function readTrajectory(path: string): Promise<Trajectory> {
  const { genes, runs } = parseRuns(path, await readText(path));
  const cells = runs.flatMap((steps, run) =>
    steps.slice(0, -LAG).map((now, step) => ({ run, step, now, future: steps[step + LAG]! }))
  );
  const velocity = cells.map(({ run, step }) => slope(runs[run]!, step));
  const heldOut = (step: number) => Math.floor(step / BLOCK) % HELD_OUT === HELD_OUT - 2;
  const positions = (choose: (step: number) => boolean) =>
    Int32Array.from(cells.keys().filter((cell) => choose(cells[cell]!.step)));
  return {
    source: path.split(/[\\/]/).at(-1)!,
    unit: "expression",
    timeUnit: `${STEPS_PER_UNIT} steps of the simulation`,
    genes,
    expression: tensor(cells.map(({ now }) => now)),
    future: tensor(cells.map(({ future }) => future)),
    dt: LAG / STEPS_PER_UNIT,
    velocity: tensor(velocity),
    time: Float64Array.from(cells, ({ step }) => step / STEPS_PER_UNIT),
    labels: Int32Array.from(cells, ({ run }) => run),
    fates: runs.map((_, run) => `run ${run + 1}`),
    train: positions((step) => !heldOut(step) && !heldOut(step + LAG)),
    test: positions(heldOut),
  };
}

async function readText(path: string): Promise<string> {
  try {
    return await Deno.readTextFile(path);
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    throw new UsageError(`Cannot read "${path}" of option --data: ${error.message}`);
  }
}

function parseRuns(path: string, text: string): { genes: string[]; runs: RunSteps[] } {
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const genes = lines.findLast((line) => /^#\s*it\s/.test(line))?.split(/\s+/).slice(2) ?? [];
  const runs: RunSteps[] = [];
  for (const [index, line] of lines.entries()) {
    if (line === "" || line.startsWith("#")) continue;
    const [step, ...values] = line.split(/\s+/).map(Number);
    if (step === 0) runs.push([]);
    const run = runs.at(-1);
    if (values.length !== genes.length || !values.every(Number.isFinite) || run?.length !== step) {
      throw new UsageError(
        `Option --data must name runs such as krumsiek11.txt, each line a step and one number per ` +
          `gene: line ${index + 1} of "${path}" is not`,
      );
    }
    run!.push(values);
  }
  if (runs.length === 0 || runs.some((run) => run.length < 2 * BLOCK * HELD_OUT)) {
    throw new UsageError(
      `Option --data must name runs of at least ${
        2 * BLOCK * HELD_OUT
      } steps: "${path}" has none, ` +
        `or a shorter one`,
    );
  }
  return { genes, runs };
}

/** The slope of the line fitted to the steps around one, per unit of time: noise averages out. */
function slope(run: RunSteps, step: number): number[] {
  const first = Math.max(0, step - WINDOW);
  const around = run.slice(first, step + WINDOW + 1);
  const centre = (around.length - 1) / 2;
  const weight = around.reduce((sum, _, i) => sum + (i - centre) ** 2, 0) / STEPS_PER_UNIT;
  return run[step]!.map((_, gene) =>
    around.reduce((sum, values, i) => sum + (i - centre) * values[gene]!, 0) / weight
  );
}
