/**
 * Ontologies of cell types, and the hierarchies of classes that they give.
 *
 * @module
 */
import { describe as describeValue } from "../describe.ts";
import { checkArray, checkChoice, checkText, readOptions, refuseMore } from "../options.ts";
import { fromData, type Tensor } from "../tensor.ts";
import { type DataSource, readBytes, utf8Text } from "./source.ts";
import { type OboStanza, splitStanzas } from "./obo.ts";

/** A term of an ontology. */
export interface OntologyTerm {
  /** The identifier, such as `CL:0000084`. */
  id: string;
  /** The name, such as `T cell`; the identifier where the file gives none. */
  name: string;
  /** The terms that this one is a special case of (`is_a`). */
  parents: readonly string[];
  /** Whether the term is no longer to be used. */
  obsolete: boolean;
  /** What is to be used instead of an obsolete term (`replaced_by`). */
  replacedBy: readonly string[];
  /** What may be meant by an obsolete term (`consider`). */
  consider: readonly string[];
}

/** The terms of an ontology. */
export interface Ontology {
  /** The terms by their identifiers, in the order of the file. */
  terms: ReadonlyMap<string, OntologyTerm>;
  /** Where terms that were merged into others went (`alt_id`). */
  merged: ReadonlyMap<string, string>;
}

/** A part of an ontology by levels, ready for `hmcnLoss`. Its nodes are numbered from 0. */
export interface TermHierarchy {
  /** The identifier of each node; by level, and within a level by identifier. */
  ids: readonly string[];
  /** The name of each node. */
  names: readonly string[];
  /** The level of each node: the length of the longest path from a root, which has level 0. */
  levels: Int32Array;
  /** The identifiers of the nodes on each level: the classes of that level, in column order. */
  classes: readonly (readonly string[])[];
  /**
   * For each level a (nodes, classes) matrix: 1 where the class is the node itself or lies above
   * it, else 0.
   */
  membership: Tensor[];
}

/**
 * Parses an ontology in the OBO format, version 1.2 or 1.4.
 *
 * Of each term, the identifier, the name, the `is_a` links and what is said about its retirement
 * are kept; relations other than `is_a` are not.
 *
 * @param text The text of an OBO file.
 * @param name What the text is called in messages; `"the ontology"` by default.
 * @returns The ontology.
 * @throws {SyntaxError} If a line cannot be understood, a term has no identifier or one that is
 * taken, or there are no terms at all.
 *
 * @example Two terms
 * ```ts
 * import { parseObo } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const ontology = parseObo(`
 * [Term]
 * id: CL:0000000
 * name: cell
 *
 * [Term]
 * id: CL:0000084
 * name: T cell
 * is_a: CL:0000000 ! cell
 * `);
 * assertEquals(ontology.terms.get("CL:0000084")?.parents, ["CL:0000000"]);
 * ```
 */
export function parseObo(text: string, name = "the ontology"): Ontology {
  if (arguments.length > 2) refuseMore("parseObo", "name", 2, arguments);
  checkText("parseObo", "text", text);
  checkText("parseObo", "name", name);
  const terms = new Map<string, OntologyTerm>();
  const merged = new Map<string, string>();
  for (const stanza of splitStanzas(name, text)) {
    if (stanza.kind !== "Term") continue;
    const term = toTerm(name, stanza);
    if (terms.has(term.id)) {
      throw new SyntaxError(
        `Cannot read ${name} as identifiers must be unique: ` +
          `${term.id} is defined again on line ${stanza.line}`,
      );
    }
    terms.set(term.id, term);
    for (const former of stanza.values.get("alt_id") ?? []) merged.set(former, term.id);
  }
  if (terms.size === 0) {
    throw new SyntaxError(
      `Cannot read ${name} as it holds no [Term]: it must be in the OBO format`,
    );
  }
  return { terms, merged };
}

function toTerm(name: string, { line, values }: OboStanza): OntologyTerm {
  const id = values.get("id")?.[0];
  if (!id) {
    throw new SyntaxError(`Cannot read ${name} as the term on line ${line} must have an id`);
  }
  return {
    id,
    name: values.get("name")?.[0] ?? id,
    parents: [...new Set(values.get("is_a"))],
    obsolete: values.get("is_obsolete")?.[0] === "true",
    replacedBy: values.get("replaced_by") ?? [],
    consider: values.get("consider") ?? [],
  };
}

/**
 * Reads an ontology from an OBO file in UTF-8, such as the Cell Ontology's `cl-basic.obo`
 * (http://purl.obolibrary.org/obo/cl/cl-basic.obo).
 *
 * @param source Where the file is: see {@linkcode DataSource}.
 * @returns The ontology; see {@linkcode parseObo}.
 * @throws {SyntaxError} If the file cannot be understood; the message names it and the line.
 * @throws {Error} If there is no such file.
 *
 * @example A file of one term
 * ```ts
 * import { readObo } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const path = await Deno.makeTempFile({ suffix: ".obo" });
 * await Deno.writeTextFile(path, "[Term]\nid: CL:0000000\nname: cell\n");
 * assertEquals((await readObo(path)).terms.get("CL:0000000")?.name, "cell");
 * await Deno.remove(path);
 * ```
 */
export async function readObo(source: DataSource): Promise<Ontology> {
  if (arguments.length > 1) refuseMore("readObo", "source", 1, arguments);
  const { name, bytes } = await readBytes(source);
  return parseObo(utf8Text(name, bytes), name);
}

/** Options of {@linkcode termHierarchy}. */
export interface TermHierarchyOptions {
  /**
   * What becomes of parents that the file does not have, as files that import others lack them:
   * `"error"` refuses them, `"ignore"` leaves them out; `"error"` by default.
   */
  unknownParents?: "error" | "ignore" | undefined;
}

/**
 * The part of an ontology that lies above some terms, by levels: every term itself and everything
 * that it is a special case of.
 *
 * A node's level is the length of the longest path from a root to it, so that whatever lies above a
 * node has a smaller level. A node may have several classes above it on one level, and none on
 * another. This is the hierarchy that UniCell's loss is defined on (BGIResearch/UniCell,
 * `unicell/ontoGRAPH.py`).
 *
 * @param ontology The ontology.
 * @param terms The identifiers of the cell types, such as `["CL:0000084", "CL:0000236"]`.
 * @param options `unknownParents`, `"error"` by default.
 * @returns The nodes, their levels, and the membership per level, ready for `hmcnLoss`.
 * @throws {RangeError} If a term is unknown, merged into another, or obsolete (the message names
 * what replaces it), if there are no terms, or if the links form a cycle.
 *
 * @example A family of three
 * ```ts
 * import { parseObo, termHierarchy } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const ontology = parseObo(`
 * [Term]
 * id: X:0
 * name: cell
 * [Term]
 * id: X:1
 * name: T cell
 * is_a: X:0
 * [Term]
 * id: X:2
 * name: B cell
 * is_a: X:0
 * `);
 * const { names, levels, membership } = termHierarchy(ontology, ["X:1", "X:2"]);
 * assertEquals(names, ["cell", "T cell", "B cell"]);
 * assertEquals([...levels], [0, 1, 1]);
 * assertEquals(membership[1]?.toArray(), [[0, 0], [1, 0], [0, 1]]);
 * ```
 */
export function termHierarchy(
  ontology: Ontology,
  terms: readonly string[],
  options: TermHierarchyOptions = {},
): TermHierarchy {
  if (arguments.length > 3) refuseMore("termHierarchy", "options", 3, arguments);
  const { unknownParents } = readOptions("termHierarchy", options, { unknownParents: "error" });
  checkChoice("termHierarchy", "unknownParents", unknownParents, ["error", "ignore"]);
  if (!(ontology?.terms instanceof Map && ontology.merged instanceof Map)) {
    throw new TypeError(
      `Cannot compute termHierarchy as ontology must be one, as parseObo and readObo make it: ` +
        `current value is ${describeValue(ontology)}`,
    );
  }
  checkTerms("termHierarchy", terms);
  if (terms.length === 0) {
    throw new RangeError("Cannot compute termHierarchy as terms must name at least one term");
  }
  const known = unknownParents === "ignore" ? withoutUnknownParents(ontology) : ontology;
  const found = ancestors(known, terms);
  const levelOf = levelsOf(known, found);
  const ids = [...found].sort((a, b) => levelOf.get(a)! - levelOf.get(b)! || (a < b ? -1 : 1));
  const depth = levelOf.get(ids.at(-1)!)! + 1;
  const classes = Array.from(
    { length: depth },
    (_, level) => ids.filter((id) => levelOf.get(id) === level),
  );
  return {
    ids,
    names: ids.map((id) => ontology.terms.get(id)!.name),
    levels: Int32Array.from(ids, (id) => levelOf.get(id)!),
    classes,
    membership: membershipOf(known, ids, classes),
  };
}

/** The same terms, without links to those that are neither there nor merged into others. */
function withoutUnknownParents({ terms, merged }: Ontology): Ontology {
  const isKnown = (id: string) => terms.has(id) || merged.has(id);
  const kept = [...terms].map(([id, term]): [string, OntologyTerm] => [
    id,
    Array.isArray(term?.parents) ? { ...term, parents: term.parents.filter(isKnown) } : term,
  ]);
  return { terms: new Map(kept), merged };
}

/** Throws a `TypeError` unless all terms are texts. */
function checkTerms(caller: string, terms: readonly string[]): void {
  checkArray(caller, "terms", terms);
  terms.forEach((term, i) => checkText(caller, `terms[${i}]`, term));
}

/** The terms and everything above them, checked. */
function ancestors(ontology: Ontology, terms: readonly string[]): Set<string> {
  const found = new Set<string>();
  const open = terms.map((id) => requireTerm(ontology, id));
  for (let term = open.pop(); term !== undefined; term = open.pop()) {
    if (found.has(term.id)) continue;
    found.add(term.id);
    for (const parent of term.parents) open.push(requireTerm(ontology, parent, term));
  }
  return found;
}

function requireTerm(ontology: Ontology, id: string, child?: OntologyTerm): OntologyTerm {
  const fail = (problem: string) => {
    const where = child === undefined ? "" : `, a parent of ${describe(ontology, child.id)},`;
    const must = "terms and their parents must be in use";
    return new RangeError(`Cannot compute termHierarchy as ${must}: ${id}${where} ${problem}`);
  };
  const term = ontology.terms.get(id);
  if (term?.obsolete) {
    const others = term.replacedBy.length > 0 ? term.replacedBy : term.consider;
    const list = others.map((other) => describe(ontology, other)).join(", ");
    const remedy = others.length === 0
      ? "and nothing replaces it"
      : term.replacedBy.length > 0
      ? `and replaced by ${list}`
      : `and what is meant may be ${list}`;
    throw fail(`(${term.name}) is obsolete ${remedy}`);
  }
  if (term !== undefined) return term;
  const heir = ontology.merged.get(id);
  if (heir !== undefined) throw fail(`has been merged into ${describe(ontology, heir)}`);
  const named = [...ontology.terms.values()].find((term) => term.name === id && !term.obsolete);
  throw fail(named === undefined ? "is unknown" : `is the name of ${named.id}: give that instead`);
}

function describe(ontology: Ontology, id: string): string {
  const term = ontology.terms.get(id);
  return term === undefined ? id : `${id} (${term.name})`;
}

/** The longest path from a root to each term, taking terms off once all their parents are done. */
function levelsOf(ontology: Ontology, found: ReadonlySet<string>): Map<string, number> {
  const children = new Map<string, string[]>([...found].map((id) => [id, []]));
  const missing = new Map<string, number>();
  const levels = new Map<string, number>();
  const ready: string[] = [];
  for (const id of found) {
    const { parents } = ontology.terms.get(id)!;
    for (const parent of parents) children.get(parent)!.push(id);
    missing.set(id, parents.length);
    levels.set(id, 0);
    if (parents.length === 0) ready.push(id);
  }
  for (let id = ready.pop(); id !== undefined; id = ready.pop()) {
    missing.delete(id);
    for (const child of children.get(id)!) {
      levels.set(child, Math.max(levels.get(child)!, levels.get(id)! + 1));
      missing.set(child, missing.get(child)! - 1);
      if (missing.get(child) === 0) ready.push(child);
    }
  }
  if (missing.size > 0) throw cycleError(ontology, new Set(missing.keys()));
  return levels;
}

/** The message about terms of which each has a parent among them. */
function cycleError(ontology: Ontology, stuck: ReadonlySet<string>): RangeError {
  const path: string[] = [];
  let id = [...stuck].sort()[0]!;
  while (!path.includes(id)) {
    path.push(id);
    id = ontology.terms.get(id)!.parents.find((parent) => stuck.has(parent))!;
  }
  const cycle = [...path.slice(path.indexOf(id)), id].map((term) => describe(ontology, term));
  return new RangeError(
    `Cannot compute termHierarchy as is_a links must not form a cycle: ` +
      `current links are ${cycle.join(" is_a ")}`,
  );
}

/** Per level, which of its classes each node belongs to. Parents come before their children. */
function membershipOf(
  ontology: Ontology,
  ids: readonly string[],
  classes: readonly (readonly string[])[],
): Tensor[] {
  const entries = classes.map((columns) => new Float32Array(ids.length * columns.length));
  const lineage = new Map<string, Set<string>>();
  const place = new Map(
    classes.flatMap((columns, level) =>
      columns.map((id, column) => [id, { level, column }] as const)
    ),
  );
  ids.forEach((id, node) => {
    const parents = ontology.terms.get(id)!.parents;
    const above = new Set([id, ...parents.flatMap((parent) => [...lineage.get(parent)!])]);
    lineage.set(id, above);
    for (const ancestor of above) {
      const { level, column } = place.get(ancestor)!;
      entries[level]![node * classes[level]!.length + column] = 1;
    }
  });
  return entries.map((rows, level) => fromData(rows, [ids.length, classes[level]!.length]));
}

/**
 * The nodes of cells, from the terms that they are annotated with: the labels of `hmcnLoss`.
 *
 * @param hierarchy The hierarchy.
 * @param terms For each cell, the identifier of its type.
 * @returns For each cell, the number of its node.
 * @throws {RangeError} If a term is not in the hierarchy.
 *
 * @example Three cells
 * ```ts
 * import { parseObo, termHierarchy, termLabels } from "@cellgrad/cellgrad/data";
 * import { assertEquals } from "@std/assert";
 *
 * const ontology = parseObo("[Term]\nid: X:0\n[Term]\nid: X:1\nis_a: X:0\n");
 * const hierarchy = termHierarchy(ontology, ["X:1"]);
 * assertEquals([...termLabels(hierarchy, ["X:1", "X:0", "X:1"])], [1, 0, 1]);
 * ```
 */
export function termLabels(hierarchy: TermHierarchy, terms: readonly string[]): Int32Array {
  if (arguments.length > 2) refuseMore("termLabels", "terms", 2, arguments);
  if (!Array.isArray(hierarchy?.ids)) {
    throw new TypeError(
      `Cannot compute termLabels as hierarchy must be one, as termHierarchy makes it: ` +
        `current value is ${describeValue(hierarchy)}`,
    );
  }
  checkArray("termLabels", "hierarchy.ids", hierarchy.ids);
  checkTerms("termLabels", terms);
  const nodes = new Map(hierarchy.ids.map((id, i) => [id, i]));
  return Int32Array.from(terms, (term, i) => {
    const node = nodes.get(term);
    if (node !== undefined) return node;
    throw new RangeError(
      `Cannot compute termLabels as terms must be in the hierarchy: ` +
        `current value at position ${i} is ${term}`,
    );
  });
}
