/**
 * Programs on the CPU.
 *
 * @module
 */
import { fromData, type Tensor } from "../tensor.ts";
import type { TypedArray } from "../dtype.ts";
import type { Graph } from "./graph.ts";

/** A graph that can be run. */
export class CpuExecutable {
  readonly graph: Graph;

  constructor(graph: Graph) {
    this.graph = graph;
  }

  /** The outputs for these inputs. */
  run(inputs: readonly Tensor[]): Tensor[] {
    const { graph } = this;
    const values = new Array<Tensor>(graph.values.length);
    graph.constants.forEach((constant, id) => values[id] = constant);
    graph.inputs.forEach((id, i) => values[id] = inputs[i]!);
    for (const { op, inputs, params, output } of graph.steps) {
      const spec = graph.values[output]!;
      const data: TypedArray = op.forward(inputs.map((id) => values[id]!), params, spec);
      values[output] = fromData(data, spec.shape, spec.dtype);
    }
    return graph.outputs.map((id) => values[id]!);
  }
}
