import { assertAlmostEquals, assertEquals } from "@std/assert";
import { zeros } from "@cellgrad/cellgrad";
import { parseObo, termHierarchy, termLabels } from "@cellgrad/cellgrad/data";
import type { AnnotatedCells } from "../../../examples/lib/hierarchy/annotated_cells.ts";
import {
  cellsPerLevel,
  depthAccuracy,
  fromTheTop,
  localAccuracy,
  measure,
  mostProbable,
} from "../../../examples/lib/hierarchy/measures.ts";
import { mainBranches } from "../../../examples/lib/hierarchy/branches.ts";
import { typeTree } from "../../../examples/lib/hierarchy/tree.ts";

const OBO = `
[Term]
id: cell

[Term]
id: t
is_a: cell

[Term]
id: b
is_a: cell

[Term]
id: cd4
is_a: t

[Term]
id: cd8
is_a: t
`;

/** Four cells: a CD4, two CD8 and a B cell. */
function someCells(): AnnotatedCells {
  const terms = ["cd4", "cd8", "b"];
  const hierarchy = termHierarchy(parseObo(OBO), terms);
  const nodes = termLabels(hierarchy, terms);
  return {
    source: "here",
    simulated: true,
    notes: [],
    genes: 1,
    expression: zeros([4, 1]),
    labels: Int32Array.of(0, 1, 1, 2),
    classes: terms,
    terms,
    hierarchy,
    nodes,
    tree: typeTree(hierarchy, nodes, terms),
    branches: mainBranches(hierarchy, nodes, terms),
    ontology: "here",
  };
}

const cells = someCells();
const said = {
  types: Float64Array.from([0.4, 0.3, 0.3, 0.1, 0.6, 0.3, 0.3, 0.25, 0.45, 0, 0, 1]),
  // Level 1: b, t. Level 2: cd4, cd8.
  locals: [
    Float64Array.from([0, 1, 0, 1, 0.6, 0.4, 1, 0]),
    Float64Array.from([1, 0, 0, 1, 0, 1, 0, 0]),
  ],
  global: Float64Array.from([1, 1, 1, 1, 1, 1, 1, 1, 0.2, 1, 1, 0]),
  histories: [],
};

Deno.test("mostProbable() and fromTheTop() differ where a branch outweighs a type", () => {
  assertEquals([...mostProbable(said, cells)], [0, 1, 2, 2]);
  assertEquals([...fromTheTop(said, cells)], [0, 1, 0, 2]);
});

Deno.test("measure() counts errors, those that left the branch, and where they are", () => {
  const near = measure("near", Int32Array.of(0, 1, 0, 2), cells);
  assertEquals([near.errors, near.outsideBranch, near.accuracy], [1, 0, 0.75]);
  const far = measure("far", Int32Array.of(0, 1, 2, 2), cells);
  assertEquals([far.errors, far.outsideBranch, far.accuracy], [1, 1, 0.75]);
  const names = cells.tree.nodes.map(({ name }) => name);
  assertEquals(names, ["cell", "t", "cd4", "cd8", "b"]);
  assertEquals(near.errorsAt, [0, 1, 0, 1, 0]);
  assertEquals(far.errorsAt, [1, 0, 0, 1, 0]);
});

Deno.test("measure() gives a near miss a better hierarchical F1 than a far one", () => {
  // Terms below the root: 2 + 2 + 2 + 1 true ones; a near miss shares t, a far one nothing.
  const near = measure("near", Int32Array.of(0, 1, 0, 2), cells);
  const far = measure("far", Int32Array.of(0, 1, 2, 2), cells);
  assertAlmostEquals(near.hierarchicalF1, 2 * 6 / (7 + 7));
  assertAlmostEquals(far.hierarchicalF1, 2 * 5 / (6 + 7));
});

Deno.test("measure() tells the accuracy on each level, of the cells that have a class there", () => {
  assertEquals(cellsPerLevel(cells), [4, 3]);
  const near = measure("near", Int32Array.of(0, 1, 0, 2), cells);
  assertEquals(near.levelAccuracy, [1, 2 / 3]);
});

Deno.test("localAccuracy() and depthAccuracy() read the heads at one half", () => {
  assertEquals(localAccuracy(cells, said), [3 / 4, 1]);
  assertEquals(depthAccuracy(cells, said), 3 / 4);
});
