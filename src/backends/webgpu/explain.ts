/**
 * A program on a device in words: what runs where, by which kernels, in which buffers.
 *
 * @module
 */
import type { Graph, ValueId } from "../../program/graph.ts";
import { isGroup } from "../../program/passes/fuse.ts";
import { readsOf, writesOf } from "../../program/plan.ts";
import { loopIn } from "../../program/row_blocks.ts";
import { formatShape } from "../../shape.ts";
import type { Build, PlannedUnit } from "./build.ts";
import type { Instruction } from "./instructions.ts";
import { MOST_PIPELINES } from "./pipelines.ts";
import { formatBytes } from "../../describe.ts";
import { deviceBytes } from "./words.ts";

/** Constants of more values than this are shown by their shape only. */
const SHOWN = 4;

/** The plan of a program, on a device that keeps so many pipelines. */
export function explainBuild(build: Build, pipelines: number): string {
  const { graph, units, slots, checks, instructions } = build;
  const own = slots.places.filter(({ kind }) => kind === "own");
  const outer = slots.places.filter(({ kind }) => kind !== "own");
  const sum = (places: typeof own) => places.reduce((total, { bytes }) => total + bytes, 0);
  const hosts = units.filter(({ kernels }) => kernels === undefined).length;
  const { kernels, bytes } = costOf(instructions);
  return [
    `program on WebGPU: ${count(units.length, "step")}, ${count(kernels, "kernel")} and ` +
    `${formatBytes(bytes)} moved per call`,
    ...graph.inputs.map((id) => `  ${describe(graph, id)} is an argument`),
    ...[...graph.constants].map(([id, { size, data }]) =>
      `  ${describe(graph, id)} is constant${size <= SHOWN ? `: ${[...data].join(", ")}` : ""}`
    ),
    ...units.map((unit, i) =>
      `  ${String(i + 1).padStart(3)}. ${"  ".repeat(unit.depth)}${describeUnit(unit)}`
    ),
    `  returns ${graph.outputs.map((id) => `%${id}`).join(", ") || "nothing"}`,
    ...(checks.length === 0 ? [] : [
      `  checks: ${checks.length}; by the host where the values come from it, else by the device, ` +
      `told with the next read`,
    ]),
    `  memory: ${formatBytes(sum(own))} in ${count(own.length, "buffer")} of its own, ` +
    `${formatBytes(sum(outer))} for arguments and results`,
    `  per call: ${count(hosts + 1, "submission")}${hosts > 0 ? " or more" : ""}, ` +
    count(hosts, "read-back"),
    `  pipelines: ${pipelines} kept for programs of this device, at most ${MOST_PIPELINES}`,
  ].join("\n");
}

function count(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}

/** What a call costs: kernels that are started, and bytes that they and copies read and write. */
interface Cost {
  kernels: number;
  bytes: number;
}

function costOf(instructions: readonly Instruction[]): Cost {
  const costs = instructions.map((instruction): Cost => {
    switch (instruction.kind) {
      case "dispatch":
        return { kernels: 1, bytes: instruction.bytes };
      case "copy":
        return { kernels: 0, bytes: 2 * instruction.bytes };
      case "clear":
        return { kernels: 0, bytes: instruction.bytes };
      case "loop": {
        const { kernels, bytes } = costOf(instruction.body);
        return { kernels: instruction.count * kernels, bytes: instruction.count * bytes };
      }
      default:
        return { kernels: 0, bytes: 0 };
    }
  });
  const sum = (key: keyof Cost) => costs.reduce((total, cost) => total + cost[key], 0);
  return { kernels: sum("kernels"), bytes: sum("bytes") };
}

function describe(graph: Graph, id: ValueId): string {
  const { shape, dtype } = graph.values[id]!;
  return `%${id} ${dtype}${formatShape(shape)}`;
}

function describeUnit({ unit, graph, kernels }: PlannedUnit): string {
  const loop = isGroup(unit) ? undefined : loopIn(unit);
  const names = isGroup(unit)
    ? [...unit.members, ...unit.reductions].map((step) => step.op.name)
    : [loop?.name ?? unit.op.name];
  const [reads, writes] = [readsOf(unit), writesOf(unit)];
  const bytes = [...reads, ...writes].reduce(
    (sum, id) => sum + deviceBytes(graph.values[id]!.shape),
    0,
  );
  const made = writes.map((id) => describe(graph, id)).join(", ");
  const head = `${made} = ${names.join(" ")}(${reads.map((id) => `%${id}`).join(", ")})`;
  if (loop !== undefined) {
    const blocks = loop.runs.reduce((sum, run) => sum + run.count, 0);
    return `${head}  ${count(blocks, "block")} on the device, each:`;
  }
  if (kernels === undefined) {
    return `${head}  on the host, as there is no kernel for ${names[0]}: ` +
      `${formatBytes(bytes)} over the bus`;
  }
  const started = kernels.map(({ name, workgroups: [x, y] }) =>
    `${name} ×${y === 1 ? x : `${x}×${y}`}`
  );
  return `${head}  on the device: ${started.join(", ") || "nothing to do"}, ` +
    `${formatBytes(bytes)} moved`;
}
