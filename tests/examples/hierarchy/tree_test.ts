import { assertEquals } from "@std/assert";
import { parseObo, termHierarchy, termLabels } from "@cellgrad/cellgrad/data";
import {
  commonNode,
  descend,
  drawingOrder,
  typeTree,
} from "../../../examples/lib/hierarchy/tree.ts";

/** An ontology of lines `child: parents`. */
function treeOf(links: Record<string, string[]>, types: string[]) {
  const stanzas = Object.entries(links).map(([id, parents]) =>
    ["[Term]", `id: ${id}`, ...parents.map((parent) => `is_a: ${parent}`)].join("\n")
  );
  const hierarchy = termHierarchy(parseObo(stanzas.join("\n\n")), types);
  return typeTree(hierarchy, termLabels(hierarchy, types), types);
}

const FAMILY = {
  cell: [],
  only: ["cell"],
  lymphoid: ["only"],
  myeloid: ["only"],
  t: ["lymphoid"],
  b: ["lymphoid"],
  cd4: ["t"],
  cd8: ["t"],
  mono: ["myeloid"],
};
const tree = treeOf(FAMILY, ["mono", "cd4", "cd8", "b"]);
const nameOf = (node: number) => tree.nodes[node]!.name;

Deno.test("typeTree() keeps the groups that tell types apart, the deepest of equal ones", () => {
  assertEquals(tree.nodes.map(({ name }) => name), [
    "only",
    "lymphoid",
    "t",
    "mono",
    "cd4",
    "cd8",
    "b",
  ]);
  assertEquals(tree.nodes.map(({ parent }) => parent), [-1, 0, 1, 0, 2, 2, 1]);
  assertEquals(tree.nodes.map(({ depth }) => depth), [0, 1, 2, 1, 3, 3, 2]);
});

Deno.test("typeTree() keeps the larger of two groups that overlap, and of equal ones the deeper", () => {
  const links = { root: [], low: ["root"], mid: ["low"], p: ["root"], a: ["mid"], b: ["mid", "p"] };
  const { nodes } = treeOf({ ...links, c: ["p"] }, ["a", "b", "c"]);
  assertEquals(nodes.map(({ name }) => name), ["root", "mid", "a", "b", "c"]);
});

Deno.test("typeTree() puts a type that is a group beside the types below it", () => {
  const { nodes } = treeOf(FAMILY, ["t", "cd4", "cd8"]);
  assertEquals(nodes.map(({ parent }) => parent), [-1, 0, 0, 0]);
});

Deno.test("typeTree() makes a root where the ontology has none for all", () => {
  const { nodes } = treeOf({ x: [], y: [] }, ["x", "y"]);
  assertEquals(nodes.map(({ name }) => name), ["all cells", "x", "y"]);
});

Deno.test("commonNode() is the smallest group of both", () => {
  assertEquals(nameOf(commonNode(tree, 1, 2)), "t");
  assertEquals(nameOf(commonNode(tree, 3, 1)), "lymphoid");
  assertEquals(nameOf(commonNode(tree, 0, 1)), "only");
  assertEquals(nameOf(commonNode(tree, 2, 2)), "cd8");
});

Deno.test("descend() sums a branch before it chooses", () => {
  assertEquals(descend(tree, [0.3, 0.25, 0.25, 0.2]), 1);
  assertEquals(descend(tree, [0.6, 0.2, 0.1, 0.1]), 0);
  assertEquals(descend(tree, [0.1, 0.1, 0.2, 0.6]), 3);
});

Deno.test("drawingOrder() lists below each node its branches", () => {
  assertEquals(drawingOrder(tree).map(nameOf), [
    "only",
    "lymphoid",
    "t",
    "cd4",
    "cd8",
    "b",
    "mono",
  ]);
});
