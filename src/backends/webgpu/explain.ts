/**
 * What a device does with a program, for its plan in words.
 *
 * @module
 */
import { formatBytes } from "../../describe.ts";
import { count, type Plan } from "../../program/explain.ts";
import type { WgslPlan } from "../../../kernels/wgsl/kernel.ts";
import type { Build } from "./build.ts";
import { deviceBytes } from "./device_layout.ts";
import type { Instruction } from "./instructions.ts";
import { MOST_PIPELINES } from "./pipelines.ts";

/** The plan of a program, on a device that keeps so many pipelines. */
export function planOf(
  { graph, units, slots, checks, hostSteps, instructions }: Build,
  pipelines: number,
): Plan {
  const own = slots.places.filter(({ kind }) => kind === "own");
  const outer = slots.places.filter(({ kind }) => kind !== "own");
  const sum = (places: typeof own) => places.reduce((total, { bytes }) => total + bytes, 0);
  const { kernels, bytes } = costOf(instructions);
  return {
    title: "program on WebGPU",
    graph,
    units,
    bytesOf: ({ shape }) => deviceBytes(shape),
    cost: `${count(kernels, "kernel")} and ${formatBytes(bytes)} moved per call`,
    notes: [
      ...(checks.length === 0 ? [] : [
        `checks: ${checks.length}; by the host where the values come from it, else by the device, ` +
        `told with the next read`,
      ]),
      `memory: ${formatBytes(sum(own))} in ${count(own.length, "buffer")} of its own, ` +
      `${formatBytes(sum(outer))} for arguments and results`,
      `per call: ${count(hostSteps + 1, "submission")}${hostSteps > 0 ? " or more" : ""}, ` +
      count(hostSteps, "read-back"),
      `pipelines: ${pipelines} kept for programs of this device, at most ${MOST_PIPELINES}`,
    ],
  };
}

/** How kernels do a unit. */
export function describeKernels(kernels: WgslPlan["kernels"]): string {
  const started = kernels.map(({ kernel: { name, workgroups: [x, y] } }) =>
    `${name} ×${y === 1 ? x : `${x}×${y}`}`
  );
  return `on the device: ${started.join(", ") || "nothing to do"}`;
}

/** What a call costs: kernels that are started, and bytes that they and copies read and write. */
function costOf(instructions: readonly Instruction[]): { kernels: number; bytes: number } {
  const cost = { kernels: 0, bytes: 0 };
  for (const instruction of instructions) {
    const { kind } = instruction;
    if (kind === "dispatch" && instruction.check === undefined) {
      cost.kernels++;
      cost.bytes += instruction.bound.reduce((sum, { bytes }) => sum + bytes, 0);
    } else if (kind === "copy") cost.bytes += instruction.bytes;
    else if (kind === "loop") {
      const { kernels, bytes } = costOf(instruction.body);
      const turns = instruction.goesOn === undefined ? instruction.count : 1;
      cost.kernels += turns * kernels;
      cost.bytes += turns * bytes;
    }
  }
  return cost;
}
