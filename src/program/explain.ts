/**
 * A program in words: what runs, where, on how much, in how much memory.
 *
 * @module
 */
import { splitOuter } from "../../kernels/matmul/reference.ts";
import { formatBytes } from "../describe.ts";
import { BYTES } from "../dtype.ts";
import type { Spec } from "../op.ts";
import { formatShape, sizeOf } from "../shape.ts";
import type { Graph, Step, ValueId } from "./graph.ts";
import { isGroup, type Unit } from "./passes/fuse.ts";
import { readsOf, writesOf } from "./plan.ts";
import type { ProfiledStep } from "./profile.ts";
import { type BlockInput, type BlockRun, loopIn } from "./row_blocks.ts";

/** Constants of more values than this are shown by their shape only. */
const SHOWN = 4;

/** A unit of a plan, as a device does it. */
export interface PlannedUnit {
  readonly unit: Unit;
  /** Where and how: "kernel", "on the host". */
  readonly how: string;
  /** What the bodies of a loop do, in the order of its runs. */
  readonly bodies?: readonly (readonly PlannedUnit[])[];
}

/** The plan of a program, as a device has made it, or a pass. */
export interface Plan {
  /** What it is a plan of: "program on cpu". */
  readonly title: string;
  readonly graph: Graph;
  readonly units: readonly PlannedUnit[];
  /** How many bytes a value takes there. */
  readonly bytesOf: (spec: Spec) => number;
  /** What a call costs besides FLOP. */
  readonly cost?: string;
  /** Memory, checks and whatever else there is to tell, a line each. */
  readonly notes: readonly string[];
}

/** What a call takes, in milliseconds. */
export interface Measured {
  readonly milliseconds: number;
  /** Its units, all turns of a loop together. */
  readonly times: ReadonlyMap<Unit, number>;
}

/** A step of a plan in words, and what it costs; loops move what their bodies do. */
export interface PlannedStep extends Pick<ProfiledStep, "step" | "how" | "flops" | "bytes"> {
  readonly unit: Unit;
  /** The bodies of a loop: what they begin with, do and give. */
  readonly bodies: readonly { begins: string; steps: readonly PlannedStep[]; gives: string }[];
}

/** The plan in words: inputs, constants, a line per step, outputs, memory. */
export function explainPlan(plan: Plan, measured?: Measured): string {
  const { title, graph, cost, notes } = plan;
  const steps = stepsOf(plan);
  const flops = steps.reduce((sum, step) => sum + step.flops, 0);
  return [
    `${title}: ${count(steps.length, "step")}, ${formatCount(flops)} FLOP` +
    (cost === undefined ? "" : `, ${cost}`) +
    (measured === undefined ? "" : `, ${formatMilliseconds(measured.milliseconds)} per call`),
    ...graph.inputs.map((id) => `  ${describe(graph, id)} is an argument`),
    ...[...graph.constants].map(([id, { size, data }]) =>
      `  ${describe(graph, id)} is constant${size <= SHOWN ? `: ${[...data].join(", ")}` : ""}`
    ),
    ...linesOf(steps, measured?.times).map((line) => `  ${line}`),
    `  returns ${graph.outputs.map((id) => `%${id}`).join(", ") || "nothing"}`,
    ...notes.map((note) => `  ${note}`),
  ].join("\n");
}

/** The plan of a graph that no device has seen: a line per step, with the kind of its operation. */
export function planOfGraph(graph: Graph, title: string): Plan {
  const planned = ({ steps }: Graph): PlannedUnit[] =>
    steps.map((unit) => {
      const bodies = loopIn(unit)?.runs.map(({ body }) => planned(body));
      return { unit, ...bodies === undefined ? { how: unit.op.kind } : { how: "", bodies } };
    });
  const bytesOf = ({ shape, dtype }: Spec) => sizeOf(shape) * BYTES[dtype];
  return { title, graph, units: planned(graph), bytesOf, notes: [] };
}

/** How a step runs that the device has no kernel for. */
export function describeHost({ op }: Step): string {
  return `on the host, as there is no kernel for ${op.name}`;
}

/** The text of a kernel below comments that say what it makes. */
export function describeSource(
  text: string,
  comment: string,
  made: readonly { unit: Unit; graph: Graph }[],
): string {
  const heads = new Set(made.map(({ unit, graph }) => `${comment} ${headOf(unit, graph)}`));
  return [...heads, text].join("\n");
}

/** A number of things. */
export function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}

/** What is done, step by step. */
export function stepsOf(
  { graph, units, bytesOf }: Pick<Plan, "graph" | "units" | "bytesOf">,
): PlannedStep[] {
  return units.map(({ unit, how, bodies }) => {
    const step = headOf(unit, graph);
    if (bodies === undefined) {
      const flops = countFlops(unit, graph);
      const bytes = [...readsOf(unit), ...writesOf(unit)]
        .reduce((sum, id) => sum + bytesOf(graph.values[id]!), 0);
      return { unit, step, how, flops, bytes, bodies: [] };
    }
    const loop = unit as Step;
    let flops = 0;
    const inside = loopIn(loop)!.runs.map((run, i) => {
      const { body, inputs, count: blocks, ends } = run;
      const steps = stepsOf({ graph: body, units: bodies[i]!, bytesOf });
      const once = steps.reduce((sum, own) => sum + own.flops, 0);
      flops += (ends === undefined ? blocks : 1) * once;
      const given = body.inputs.map((id, k) =>
        `${describe(body, id)} ${describeInput(inputs[k]!, loop)}`
      );
      return {
        begins: `${describeCount(run)}: ${given.join(", ")}`,
        steps,
        gives: body.outputs.map((id) => `%${id}`).join(", "),
      };
    });
    return { unit, step, how, flops, bytes: 0, bodies: inside };
  });
}

/** A line per step, the bodies of loops below it. */
function linesOf(steps: readonly PlannedStep[], times: Measured["times"] | undefined): string[] {
  return steps.flatMap(({ unit, step, how, flops, bytes, bodies }, i) => {
    const took = times === undefined ? "" : `, ${formatMilliseconds(times.get(unit) ?? 0)}`;
    const costs = `  ${how}, ${formatCount(flops)} FLOP, ${formatBytes(bytes)} moved`;
    return [
      `${String(i + 1).padStart(3)}. ${step}${bodies.length > 0 ? how : costs}${took}`,
      ...bodies.flatMap((body) => [
        `     ${body.begins}`,
        ...linesOf(body.steps, times).map((line) => `     ${line}`),
        `       gives ${body.gives}`,
      ]),
    ];
  });
}

function formatMilliseconds(time: number): string {
  return `${Number(time.toPrecision(3))} ms`;
}

/** How often a body is done. */
function describeCount({ body, inputs, count: times, ends }: BlockRun): string {
  if (ends !== undefined) {
    return `${Number.isFinite(times) ? `at most ${count(times, "turn")}, ` : ""}while %${
      body.inputs[ends]
    }`;
  }
  return count(times, inputs.some(({ carry }) => carry !== undefined) ? "turn" : "block");
}

/** What an input of a body is. */
function describeInput({ from, step: stride, carry }: BlockInput, { inputs }: Step): string {
  const of = `%${inputs[from]}`;
  if (carry !== undefined) return `from ${of} on`;
  return `= ${stride === undefined ? of : `rows of ${of}`}`;
}

function describe(graph: Graph, id: ValueId): string {
  const { shape, dtype } = graph.values[id]!;
  return `%${id} ${dtype}${formatShape(shape)}`;
}

/** What a unit makes, by which operations, of what. */
function headOf(unit: Unit, graph: Graph): string {
  const names = isGroup(unit)
    ? unit.steps.map((step) => step.op.name)
    : [loopIn(unit)?.name ?? unit.op.name];
  const list = (ids: readonly ValueId[], text: (id: ValueId) => string) => ids.map(text).join(", ");
  return `${list(writesOf(unit), (id) => describe(graph, id))} = ${names.join(" ")}(${
    list(readsOf(unit), (id) => `%${id}`)
  })`;
}

/** Floating-point operations: exact for products and distances, one per value and step elsewhere. */
function countFlops(unit: Unit, graph: Graph): number {
  if (isGroup(unit)) return unit.steps.length * sizeOf(unit.shape);
  const { op, inputs, params, output }: Step = unit;
  const size = sizeOf(graph.values[output]!.shape);
  const first = graph.values[inputs[0] ?? output]!.shape;
  switch (op.kind) {
    case "product": {
      const layout = op.layout(inputs.map((id) => graph.values[id]!.shape), params);
      return (op.term === "product" ? 2 : 3) * size * layout.k * sizeOf(splitOuter(layout).sums);
    }
    case "map":
      return size;
    case "reduce":
    case "cumulative":
      return sizeOf(first);
    case "sparseProduct":
      return 2 * sizeOf(first) * graph.values[output]!.shape[1]!;
    default:
      return 0;
  }
}

function formatCount(n: number): string {
  const units = ["", " k", " M", " G", " T"];
  const power = Math.min(units.length - 1, n < 1 ? 0 : Math.floor(Math.log10(n) / 3));
  return `${Number((n / 1000 ** power).toPrecision(3))}${units[power]}`;
}
