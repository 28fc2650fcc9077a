/** The report of the trajectory and of the structure losses: one self-contained HTML file. */
import { formatCount, formatMetric } from "../format.ts";
import { type Markup, markup } from "../html.ts";
import { reportPage, settingsSection, tiles } from "../report_parts.ts";
import type { BatchedCells } from "./batches.ts";
import type { Trajectory } from "./cells.ts";
import { fieldSection, signSection, structureSection, velocitySection } from "./sections.ts";
import type { LearnedStructure } from "./structure.ts";
import type { MixingMeasures } from "./structure_measures.ts";
import type { Budget } from "../training/mod.ts";
import type { LearnedVelocity, VelocityMeasures } from "./velocity.ts";

/** Everything that {@linkcode trajectoryReport} shows. */
export interface TrajectoryResult {
  /** Cells on the move. */
  cells: Trajectory;
  /** The fields learned from them. */
  velocities: LearnedVelocity[];
  /** What is hard to beat. */
  baselines: { observed: VelocityMeasures; mean: VelocityMeasures };
  /** Cells of several batches. */
  batched: BatchedCells;
  /** What their principal components are like. */
  inputs: MixingMeasures;
  /** The embeddings learned from them. */
  structures: LearnedStructure[];
  /** Trainings that broke down: name and reason. */
  failures: (readonly [string, string])[];
  /** Budgets of the trainings. */
  budgets: { velocity: Budget; structure: Budget };
  seed: number;
  device: string;
  elapsedSeconds: number;
}

export function trajectoryReport(result: TrajectoryResult): string {
  const { cells, velocities, baselines, batched, inputs, structures, failures } = result;
  const broken = failures.map(([name, reason]) =>
    markup`<p class="note"><strong>${name} broke down.</strong> ${reason}</p>`
  );
  return reportPage(
    "Where cells go, and how they lie together",
    markup`<p class="quiet">${cells.source} · ${formatCount(cells.expression.shape[0]!)} cells ·
${cells.genes.length} genes · ${formatCount(cells.train.length)} to learn from,
${formatCount(cells.test.length)} held out</p>
<p class="note"><strong>Simulated cells.</strong> Trajectories, batches and types come from models, not
from an experiment: only so is the true direction known.</p>
${broken}`,
    [
      numbers(result),
      fieldSection(cells, velocities),
      velocitySection(cells, velocities, baselines),
      signSection(),
      structureSection(batched, inputs, structures),
      describeSettings(result),
    ],
  );
}

function numbers({ velocities, structures, inputs, elapsedSeconds }: TrajectoryResult): Markup {
  const velocity = (id: string) => velocities.find(({ variant }) => variant.id === id)!.measures;
  const structure = (id: string) => structures.find(({ variant }) => variant.id === id)?.measures;
  const [right, wrong] = [structure("right"), structure("mixing")];
  return tiles([
    [
      formatMetric(velocity("both").cosine),
      "mean cosine with the true direction, held-out cells; 1 is best",
    ],
    [formatMetric(velocity("negated").cosine), "the same, learned with the wrong sign"],
    [
      formatMetric(right?.batchEntropy),
      `batch mixing with all signs right; 1 is best (before: ${formatMetric(inputs.batchEntropy)})`,
    ],
    [formatMetric(wrong?.batchEntropy), "batch mixing with its loss negated"],
  ], elapsedSeconds);
}

function describeSettings({ cells, budgets, seed, device, structures }: TrajectoryResult): Markup {
  const right = structures.find(({ variant }) => variant.id === "right");
  const named = (prefix: string, values: object) =>
    Object.entries(values).map(([name, value]) => [`${prefix}: ${name}`, value] as const);
  const settings = [
    ["time step dt", cells.dt.toFixed(2)],
    ["unit of time", cells.timeUnit],
    ...named("velocity", budgets.velocity),
    ...named("embedding", budgets.structure),
    ...named("weight", right?.variant.weights ?? {}),
    ["seed", seed],
    ["device", device],
  ] as const;
  return settingsSection(Object.fromEntries(settings));
}
