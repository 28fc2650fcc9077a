/**
 * Has loops read their rows and first carries where they lie, in the middle of what holds them.
 *
 * @module
 */
import { stretchStart } from "../../../kernels/layout/reference.ts";
import { sizeOf } from "../../shape.ts";
import { type Graph, makersOf, type Step, type ValueId } from "../graph.ts";
import { type BlockInput, isShared, loopIn, type RowLoop } from "../row_blocks.ts";

/** The graph whose loops need no copies of stretches. */
export function readStretches(graph: Graph): Graph {
  if (!graph.steps.some(loopIn)) return graph;
  const makers = makersOf(graph);
  const steps = graph.steps.map((step) => {
    const loop = loopIn(step);
    if (loop === undefined) return step;
    const inputs = [...step.inputs];
    const placed = (input: BlockInput): BlockInput => {
      if (isShared(input)) return input;
      const { id, start } = stretchOf(step.inputs[input.from]!, makers, graph);
      const from = inputs.includes(id) ? inputs.indexOf(id) : inputs.push(id) - 1;
      return { ...input, from, start: input.start + start };
    };
    const runs = loop.runs.map((run) => ({ ...run, inputs: run.inputs.map(placed) }));
    return { ...step, inputs, params: { ...loop, runs } satisfies RowLoop };
  });
  return { ...graph, steps };
}

/** The value that holds another one as a stretch, and where that starts. */
function stretchOf(
  given: ValueId,
  makers: ReadonlyMap<ValueId, Step>,
  { values }: Graph,
): { id: ValueId; start: number } {
  let [id, start] = [given, 0];
  for (let step = makers.get(id); step?.op.kind === "view"; step = makers.get(id)) {
    const shapes = step.inputs.map((input) => values[input]!.shape);
    const { shape } = values[id]!;
    const from = stretchStart(step.op.copies(shapes, step.params, shape), sizeOf(shape));
    if (from === undefined) break;
    id = step.inputs[0]!;
    start += from;
  }
  return { id, start };
}
