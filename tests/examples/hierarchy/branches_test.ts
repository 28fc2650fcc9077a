import { assertEquals } from "@std/assert";
import { parseObo, termHierarchy, termLabels } from "@cellgrad/cellgrad/data";
import { mainBranches } from "../../../examples/lib/hierarchy/branches.ts";

/** The branches of types in an ontology of lines `child: parents`. */
function branchesOf(links: Record<string, string[]>, types: string[]) {
  const stanzas = Object.entries(links).map(([id, parents]) =>
    ["[Term]", `id: ${id}`, ...parents.map((parent) => `is_a: ${parent}`)].join("\n")
  );
  const hierarchy = termHierarchy(parseObo(stanzas.join("\n\n")), types);
  const { of, names } = mainBranches(hierarchy, termLabels(hierarchy, types), types);
  return types.map((type, i) => `${type}: ${names[of[i]!]}`);
}

const BLOOD = {
  cell: [],
  lymphoid: ["cell"],
  myeloid: ["cell"],
  stem: ["cell"],
  t: ["lymphoid"],
  b: ["lymphoid"],
  mono: ["myeloid"],
  dendritic: ["myeloid"],
  cd4: ["t"],
  cd8: ["t"],
};

Deno.test("mainBranches() takes the level with the most classes that holds groups", () => {
  assertEquals(branchesOf(BLOOD, ["cd4", "cd8", "b", "mono", "dendritic"]), [
    "cd4: t",
    "cd8: t",
    "b: b",
    "mono: mono",
    "dendritic: dendritic",
  ]);
});

Deno.test("mainBranches() makes a branch of a type that has no class on the level", () => {
  const found = branchesOf(BLOOD, ["stem", "cd4", "cd8", "b", "mono", "dendritic"]);
  assertEquals(found.slice(0, 2), ["stem: stem", "cd4: t"]);
});

Deno.test("mainBranches() passes over levels on which a type has two classes", () => {
  const links = { cell: [], x: ["cell"], y: ["cell"], z: ["cell"], p: ["x"], q: ["y"] };
  const types = { a: ["p"], b: ["p"], c: ["q"], d: ["q", "z"] };
  assertEquals(branchesOf({ ...links, ...types }, ["a", "b", "c", "d"]), [
    "a: p",
    "b: p",
    "c: q",
    "d: q",
  ]);
});

Deno.test("mainBranches() keeps all types apart where no level has groups", () => {
  assertEquals(branchesOf({ x: [], y: [] }, ["x", "y"]), ["x: x", "y: y"]);
});
