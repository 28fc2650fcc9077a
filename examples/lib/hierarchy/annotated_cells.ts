/** Cells whose types are terms of an ontology: real ones, or simulated ones on its tree. */
import { log1p } from "@cellgrad/cellgrad";
import {
  normalizeTotal,
  type Ontology,
  parseObo,
  readObo,
  simulateCells,
  type TermHierarchy,
  termHierarchy,
  termLabels,
} from "@cellgrad/cellgrad/data";
import { UsageError } from "../arguments.ts";
import { type Cells, readCells, sortTypes } from "../cells.ts";
import type { Reading } from "../cells/options.ts";
import { type Branches, mainBranches } from "./branches.ts";
import { type TypeTree, typeTree } from "./tree.ts";

/** Cells, and where their types stand in the ontology. */
export interface AnnotatedCells extends Cells {
  terms: string[];
  /** Everything above these terms, by levels. */
  hierarchy: TermHierarchy;
  /** The node of each type in the hierarchy. */
  nodes: Int32Array;
  /** The groups that tell the types apart. */
  tree: TypeTree;
  branches: Branches;
  /** What the ontology is called. */
  ontology: string;
}

export interface CellOptions extends Omit<Reading, "labels" | "batch"> {
  /** The file of cells; simulated ones without it. */
  data: string | undefined;
  /** The column of their types. */
  labels: string;
  /** The ontology; the small one beside this module without it. */
  ontology: string | undefined;
  /** A table of labels and terms. */
  terms: string | undefined;
  /** How many cells and genes are simulated. */
  simulated: { cells: number; genes: number };
  /** The seed of simulated cells. */
  seed: number;
}

/** The terms of 10x's sorted blood cells, as scanpy's `pbmc68k_reduced` labels them. */
const BLOOD_TERMS: Readonly<Record<string, string>> = {
  "CD14+ Monocyte": "CL:0001054",
  "CD19+ B": "CL:0000236",
  "CD34+": "CL:0000037",
  "CD4+/CD25 T Reg": "CL:0000792",
  "CD4+/CD45RA+/CD25- Naive T": "CL:0000895",
  "CD4+/CD45RO+ Memory": "CL:0000897",
  "CD56+ NK": "CL:0000623",
  "CD8+ Cytotoxic T": "CL:0000794",
  "CD8+/CD45RA+ Naive Cytotoxic": "CL:0000900",
  "Dendritic": "CL:0000451",
};

/** Simulated types, in the order of the leaves of a complete binary tree. */
const SIMULATED_TERMS = [
  "CL:0000860",
  "CL:0000875",
  "CL:0000990",
  "CL:0000784",
  "CL:0000788",
  "CL:0000787",
  "CL:0000624",
  "CL:0000625",
];

/** Reads or simulates cells, and finds their types, and what is above them, in the ontology. */
export async function annotatedCells(options: CellOptions): Promise<AnnotatedCells> {
  const ontology = await readOntology(options.ontology);
  const cells = options.data === undefined
    ? simulateOn(ontology, options)
    : await readSorted(options.data, options);
  const given = options.terms === undefined ? {} : await readTerms(options.terms);
  const terms = cells.classes.map((label) => termOf(label, ontology, given));
  const hierarchy = asUsage(() => termHierarchy(ontology, terms));
  const nodes = termLabels(hierarchy, terms);
  return {
    ...cells,
    terms,
    hierarchy,
    nodes,
    tree: typeTree(hierarchy, nodes, cells.classes),
    branches: mainBranches(hierarchy, nodes, cells.classes),
    ontology: options.ontology?.split(/[\\/]/).at(-1) ?? "blood.obo, shipped with the example",
  };
}

async function readSorted(path: string, options: CellOptions): Promise<Cells> {
  const cells = await readCells(path, options.labels, options);
  const { labels, classes } = sortTypes(cells);
  return { ...cells, labels, classes };
}

async function readOntology(path: string | undefined): Promise<Ontology> {
  if (path === undefined) {
    const own = new URL("./blood.obo", import.meta.url);
    return parseObo(await Deno.readTextFile(own), "blood.obo");
  }
  try {
    return await readObo(path);
  } catch (error) {
    throw new UsageError((error as Error).message);
  }
}

function asUsage<T>(compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    if (error instanceof RangeError) throw new UsageError(error.message);
    throw error;
  }
}

/** Cells whose types are leaves of the shipped ontology; the tree they are made on is the same. */
function simulateOn(ontology: Ontology, { simulated, seed }: CellOptions): Cells {
  const { counts, labels } = simulateCells({
    ...simulated,
    types: SIMULATED_TERMS.length,
    markerStrength: 1,
    seed,
  });
  return {
    source: "simulateCells()",
    simulated: true,
    genes: simulated.genes,
    expression: log1p(normalizeTotal(counts)),
    labels,
    classes: SIMULATED_TERMS.map((id) => ontology.terms.get(id)?.name ?? id),
    notes: [],
  };
}

/** Lines of a label, a tab and a term. */
async function readTerms(path: string): Promise<Record<string, string>> {
  const text = await Deno.readTextFile(path).catch((error: Error) => {
    throw new UsageError(`Option --terms must name a file that can be read: ${error.message}`);
  });
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  return Object.fromEntries(lines.map((line, i) => {
    const [label, term] = line.split("\t").map((part) => part.trim());
    if (label && term) return [label, term];
    throw new UsageError(
      `Option --terms must name a file of labels and terms with a tab between them: line ${
        i + 1
      } is "${line}"`,
    );
  }));
}

/** The term of a label: as given, or the label itself where it is an identifier or a name. */
function termOf(
  label: string,
  ontology: Ontology,
  given: Readonly<Record<string, string>>,
): string {
  const known = given[label] ?? BLOOD_TERMS[label];
  if (known !== undefined) return known;
  if (ontology.terms.has(label)) return label;
  const named = [...ontology.terms.values()].find(({ name, obsolete }) =>
    name === label && !obsolete
  );
  if (named !== undefined) return named.id;
  throw new UsageError(
    `Cannot find the type "${label}" in the ontology: give its term in a file of lines ` +
      `"label<tab>term", with --terms FILE`,
  );
}
