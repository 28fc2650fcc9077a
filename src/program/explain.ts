/**
 * A program in words.
 *
 * @module
 */
import { formatShape } from "../shape.ts";
import type { CpuExecutable } from "./cpu.ts";

/** The plan of a program: a line per step, then the constants. */
export function explainProgram({ graph }: CpuExecutable): string {
  const name = (id: number) => `%${id}`;
  const spec = (id: number) => `${graph.values[id]!.dtype}${formatShape(graph.values[id]!.shape)}`;
  return [
    `program (${graph.inputs.map((id) => `${name(id)} ${spec(id)}`).join(", ")})`,
    ...[...graph.constants.keys()].map((id) => `  ${name(id)} = constant ${spec(id)}`),
    ...graph.steps.map(({ op, inputs, output }) =>
      `  ${name(output)} = ${op.name}(${inputs.map(name).join(", ")})  ${spec(output)}`
    ),
    `  return ${graph.outputs.map(name).join(", ")}`,
  ].join("\n");
}
