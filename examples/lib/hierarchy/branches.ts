/** The main branches of a hierarchy: what an error should not leave. */
import type { TermHierarchy } from "@cellgrad/cellgrad/data";
import { isMember } from "./tree.ts";

export interface Branches {
  of: Int32Array;
  names: string[];
}

/**
 * The classes of one level of the hierarchy: of the levels on which no type has two classes, and
 * some class holds several types, that with the most classes; of equal ones, that on which most
 * types have one. A type without a class there is a branch of its own.
 *
 * For blood cells in the Cell Ontology these are T cells, B cells, natural killer cells (as innate
 * lymphoid cells), monocytes, dendritic cells and stem cells.
 */
export function mainBranches(
  hierarchy: TermHierarchy,
  labels: Int32Array,
  types: readonly string[],
): Branches {
  const best = hierarchy.classes.map((classes, level) => ({
    level,
    classes,
    columns: Array.from(
      labels,
      (node) => [...classes.keys()].filter((column) => isMember(hierarchy, node, level, column)),
    ),
  })).filter(({ classes, columns }) =>
    columns.every(({ length }) => length <= 1) &&
    classes.length < columns.filter(({ length }) => length === 1).length
  ).reduce<{ classes: readonly string[]; columns: number[][] } | undefined>(
    (a, b) => a === undefined || tells(b) > tells(a) ? b : a,
    undefined,
  );
  const names = (best?.classes ?? []).map((id) => hierarchy.names[hierarchy.ids.indexOf(id)]!);
  const of = Int32Array.from(types, (type, i) => best?.columns[i]?.[0] ?? names.push(type) - 1);
  return { of, names };
}

/** How much a level tells: its classes, and, as a fraction, the share of types that have one. */
function tells({ classes, columns }: { classes: readonly string[]; columns: number[][] }): number {
  return classes.length +
    columns.filter(({ length }) => length === 1).length / (columns.length + 1);
}
