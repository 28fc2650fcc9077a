import { hmcnLoss } from "@cellgrad/cellgrad/losses";
import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import fc from "fast-check";
import { BLOOD } from "./blood.ts";
import { parseObo, readObo, termHierarchy, termLabels } from "../../src/data/ontology.ts";
import { inTempDirectory } from "./write.ts";

// The Cell Ontology, in a folder beside the repository that not everyone has.
const CELL_ONTOLOGY = new URL("../../../shared/data/cl-basic.obo", import.meta.url);

function exists(path: URL): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch {
    return false;
  }
}

/** The text of terms, each given by its identifier and its parents. */
function obo(parents: Readonly<Record<string, readonly string[]>>): string {
  return Object.entries(parents).map(([id, above]) =>
    `[Term]\nid: ${id}\nname: ${id.toLowerCase()}\n` +
    above.map((parent) => `is_a: ${parent} ! ${parent.toLowerCase()}\n`).join("")
  ).join("\n");
}

function assertMessage(
  f: () => unknown,
  // deno-lint-ignore no-explicit-any
  kind: abstract new (...args: any[]) => Error,
  message: string,
): void {
  assertEquals((assertThrows(f, kind as never) as Error).message, message);
}

Deno.test("parseObo() reads terms, names and parents, and nothing but terms", () => {
  const { terms } = parseObo(BLOOD);
  assertEquals([...terms.keys()], ["CL:0", "CL:1", "CL:2", "CL:3", "CL:4", "CL:5"]);
  assertEquals(terms.get("CL:2"), {
    id: "CL:2",
    name: "CD4:positive",
    parents: ["CL:1"],
    obsolete: false,
    replacedBy: [],
    consider: [],
  });
});

Deno.test("parseObo() leaves out trailing modifiers and comments", () => {
  const term = parseObo(BLOOD).terms.get("CL:1");
  assertEquals([term?.name, term?.parents], ["T cell", ["CL:0"]]);
});

Deno.test("parseObo() reads what is said about terms that are retired", () => {
  const { terms, merged } = parseObo(BLOOD);
  assertEquals(terms.get("CL:3")?.obsolete, true);
  assertEquals(terms.get("CL:3")?.replacedBy, ["CL:1"]);
  assertEquals(terms.get("CL:4")?.consider, ["CL:0", "CL:1"]);
  assertEquals([...merged], [["CL:20", "CL:2"], ["CL:21", "CL:2"]]);
});

Deno.test("parseObo() understands Windows line ends", () => {
  assertEquals(parseObo(BLOOD.replaceAll("\n", "\r\n")), parseObo(BLOOD));
});

Deno.test("parseObo() calls a term without a name by its identifier", () => {
  assertEquals(parseObo("[Term]\nid: X:1").terms.get("X:1")?.name, "X:1");
});

Deno.test("parseObo() rejects texts that are no OBO", () => {
  const cases = [
    ["", "Cannot read the ontology as it holds no [Term]: it must be in the OBO format"],
    [
      "format-version: 1.2\n<owl>\n",
      'Cannot read the ontology as line 2 must be "tag: value" or "[Term]": current value is "<owl>"',
    ],
    ["[Term]\nname: cell\n", "Cannot read the ontology as the term on line 1 must have an id"],
    [
      "[Term]\nid: X:1\n\n[Term]\nid: X:1\n",
      "Cannot read the ontology as identifiers must be unique: X:1 is defined again on line 4",
    ],
  ] as const;
  for (const [text, message] of cases) assertMessage(() => parseObo(text), SyntaxError, message);
});

Deno.test("termHierarchy() takes the longest path from the root for a level", () => {
  const ontology = parseObo(obo({ A: [], B: ["A"], C: ["B"], D: ["A", "C"], E: ["A"] }));
  const { ids, levels, classes } = termHierarchy(ontology, ["D"]);
  assertEquals(ids, ["A", "B", "C", "D"]);
  assertEquals([...levels], [0, 1, 2, 3]);
  assertEquals(classes, [["A"], ["B"], ["C"], ["D"]]);
});

Deno.test("termHierarchy() gives every class above a node, and the node itself", () => {
  const ontology = parseObo(obo({ D: ["B", "C"], C: ["A"], B: ["A"], A: [] }));
  const { ids, names, membership } = termHierarchy(ontology, ["D", "C", "D"]);
  assertEquals(ids, ["A", "B", "C", "D"]);
  assertEquals(names, ["a", "b", "c", "d"]);
  assertEquals(membership.map((rows) => rows.toArray()), [
    [[1], [1], [1], [1]],
    [[0, 0], [1, 0], [0, 1], [1, 1]],
    [[0], [0], [0], [1]],
  ]);
});

Deno.test("termHierarchy() leaves out what lies beside and below the terms", () => {
  const ontology = parseObo(obo({ A: [], B: ["A"], C: ["B"], D: ["A"] }));
  assertEquals(termHierarchy(ontology, ["B"]).ids, ["A", "B"]);
});

Deno.test("termHierarchy() starts several roots at level 0", () => {
  const ontology = parseObo(obo({ A: [], B: [], C: ["A", "B"] }));
  const { levels, membership } = termHierarchy(ontology, ["C"]);
  assertEquals([...levels], [0, 0, 1]);
  assertEquals(membership[0]!.toArray(), [[1, 0], [0, 1], [1, 1]]);
});

Deno.test("termHierarchy() puts parents on smaller levels and their classes in each row", () => {
  const edges = fc.array(fc.tuple(fc.nat({ max: 7 }), fc.nat({ max: 7 })), { maxLength: 14 });
  const graphs = edges.map((pairs) => {
    const parents: Record<string, string[]> = {};
    for (let i = 0; i < 8; i++) parents[`N${i}`] = [];
    for (const [a, b] of pairs) if (a < b) parents[`N${b}`]!.push(`N${a}`);
    return parents;
  });
  fc.assert(
    fc.property(graphs, (parents) => {
      const h = termHierarchy(parseObo(obo(parents)), ["N7", "N6"]);
      const rowOf = (id: string) => {
        const node = h.ids.indexOf(id);
        return h.membership.flatMap((rows) => (rows.toArray() as number[][])[node]!);
      };
      const columns = h.classes.flat();
      h.ids.forEach((id, node) => {
        const above = parents[id]!;
        const deepest = above.map((parent) => h.levels[h.ids.indexOf(parent)]!);
        assertEquals(h.levels[node], Math.max(-1, ...deepest) + 1);
        const members = new Set([
          id,
          ...above.flatMap((parent) => columns.filter((_, i) => rowOf(parent)[i] === 1)),
        ]);
        assertEquals(new Set(columns.filter((_, i) => rowOf(id)[i] === 1)), members);
      });
    }),
    { seed: 1, numRuns: 50 },
  );
});

Deno.test("termHierarchy() and termLabels() are ready for hmcnLoss()", () => {
  const hierarchy = termHierarchy(parseObo(BLOOD), ["CL:2"]);
  const labels = termLabels(hierarchy, ["CL:2", "CL:0"]);
  const losses = hmcnLoss([[1, 1, 1], [1, 0, 0]], [[[1], [0]], [[1], [0]]], labels, hierarchy);
  assertEquals([losses.global.item(), losses.local.item()], [0, 0]);
});

Deno.test("termHierarchy() rejects terms that cannot be used, and says what can", () => {
  const must = "Cannot compute termHierarchy as terms and their parents must be in use:";
  const cases = [
    ["CL:9", `${must} CL:9 is unknown`],
    ["T cell", `${must} T cell is the name of CL:1: give that instead`],
    ["CL:20", `${must} CL:20 has been merged into CL:2 (CD4:positive)`],
    ["CL:3", `${must} CL:3 (obsolete lymphoid thing) is obsolete and replaced by CL:1 (T cell)`],
    [
      "CL:4",
      `${must} CL:4 (obsolete native cell) is obsolete and what is meant may be CL:0 (cell), ` +
      "CL:1 (T cell)",
    ],
    ["CL:5", `${must} CL:5 (obsolete nothing) is obsolete and nothing replaces it`],
  ] as const;
  const ontology = parseObo(BLOOD);
  for (const [id, message] of cases) {
    assertMessage(() => termHierarchy(ontology, ["CL:1", id]), RangeError, message);
  }
});

Deno.test("termHierarchy() names the child of a parent that cannot be used", () => {
  assertMessage(
    () => termHierarchy(parseObo(obo({ B: ["A"] })), ["B"]),
    RangeError,
    "Cannot compute termHierarchy as terms and their parents must be in use: " +
      "A, a parent of B (b), is unknown",
  );
});

Deno.test("termHierarchy() rejects cycles and shows them", () => {
  const ontology = parseObo(obo({ A: [], B: ["A", "D"], C: ["B"], D: ["C"], E: ["D"] }));
  assertMessage(
    () => termHierarchy(ontology, ["E"]),
    RangeError,
    "Cannot compute termHierarchy as is_a links must not form a cycle: current links are " +
      "B (b) is_a D (d) is_a C (c) is_a B (b)",
  );
});

Deno.test("termHierarchy() rejects a term that is its own parent", () => {
  assertMessage(
    () => termHierarchy(parseObo(obo({ A: ["A"] })), ["A"]),
    RangeError,
    "Cannot compute termHierarchy as is_a links must not form a cycle: current links are " +
      "A (a) is_a A (a)",
  );
});

Deno.test("termHierarchy() rejects an empty list of terms", () => {
  assertMessage(
    () => termHierarchy(parseObo(BLOOD), []),
    RangeError,
    "Cannot compute termHierarchy as terms must name at least one term",
  );
});

Deno.test("termLabels() rejects terms that are not in the hierarchy", () => {
  const hierarchy = termHierarchy(parseObo(BLOOD), ["CL:1"]);
  assertMessage(
    () => termLabels(hierarchy, ["CL:1", "CL:2"]),
    RangeError,
    "Cannot compute termLabels as terms must be in the hierarchy: " +
      "current value at position 1 is CL:2",
  );
});

Deno.test("readObo() reads a file", () =>
  inTempDirectory(async (directory) => {
    const path = `${directory}/blood.obo`;
    await Deno.writeTextFile(path, BLOOD);
    assertEquals(await readObo(path), parseObo(BLOOD));
  }));

Deno.test("readObo() names the file that it cannot read", () =>
  inTempDirectory(async (directory) => {
    const path = `${directory}/cells.owl`;
    await Deno.writeTextFile(path, "<owl>");
    const error = await assertRejects(() => readObo(path), SyntaxError);
    assertEquals(
      error.message,
      `Cannot read "${path}" as line 1 must be "tag: value" or "[Term]": current value is "<owl>"`,
    );
  }));

/** The cell types of the annotated blood cells. */
const BLOOD_TYPES = [
  "CL:0000451",
  "CL:0001054",
  "CL:0000236",
  "CL:0000792",
  "CL:0000794",
  "CL:0000900",
  "CL:0000623",
  "CL:0000897",
  "CL:0000037",
  "CL:0000895",
];

if (exists(CELL_ONTOLOGY)) {
  Deno.test("readObo() reads the Cell Ontology", async () => {
    const { terms, merged } = await readObo(CELL_ONTOLOGY);
    assertEquals([terms.size, merged.size], [2924, 77]);
    assertEquals(terms.get("CL:0000084")?.name, "T cell");
  });

  Deno.test("termHierarchy() gives the hierarchy of blood cells", async () => {
    const ontology = await readObo(CELL_ONTOLOGY);
    const { ids, names, levels, classes, membership } = termHierarchy(ontology, BLOOD_TYPES);
    assertEquals([ids.length, names[0]], [45, "cell"]);
    assertEquals(classes.map((level) => level.length), [1, 7, 7, 5, 3, 5, 5, 5, 2, 5]);
    const depths = BLOOD_TYPES.map((id) => levels[ids.indexOf(id)]);
    assertEquals(depths, [5, 6, 6, 9, 9, 9, 7, 9, 4, 9]);
    assertEquals(membership.map((rows) => rows.shape), classes.map((level) => [45, level.length]));
    assertEquals(membership[0]!.sum().item(), 45);
  });

  Deno.test("termHierarchy() takes in every term of the Cell Ontology that is in use", async () => {
    const ontology = await readObo(CELL_ONTOLOGY);
    const used = [...ontology.terms.values()].filter((term) => !term.obsolete);
    assertEquals(termHierarchy(ontology, used.map((term) => term.id)).ids.length, 2739);
  });

  Deno.test("termHierarchy() names what replaced an obsolete term of the Cell Ontology", async () => {
    const ontology = await readObo(CELL_ONTOLOGY);
    assertMessage(
      () => termHierarchy(ontology, ["CL:0000003"]),
      RangeError,
      "Cannot compute termHierarchy as terms and their parents must be in use: CL:0000003 " +
        "(obsolete native cell) is obsolete and replaced by CL:0000000 (cell)",
    );
  });
}

Deno.test("termHierarchy() leaves unknown parents out where that is asked for", () => {
  const ontology = parseObo("[Term]\nid: X:1\nis_a: Y:0\n[Term]\nid: X:2\nis_a: X:1\nis_a: Y:1\n");
  const { ids, levels } = termHierarchy(ontology, ["X:2"], { unknownParents: "ignore" });
  assertEquals([ids, [...levels]], [["X:1", "X:2"], [0, 1]]);
  assertThrows(() => termHierarchy(ontology, ["X:2"]), RangeError, "Y:1");
});

Deno.test("parseObo() reads long lines in time of their length, and modifiers off values", () => {
  const start = performance.now();
  const blanks = " ".repeat(200_000);
  const { terms } = parseObo(
    `[Term]\nid: X:0\nname: a${blanks}b {x="1"}\n[Term]\nid: X:1\nname: c \\{d\\} ! e\n`,
  );
  assertEquals(terms.get("X:0")!.name, `a${blanks}b`);
  assertEquals(terms.get("X:1")!.name, "c {d}");
  assertEquals(performance.now() - start < 2000, true);
});
