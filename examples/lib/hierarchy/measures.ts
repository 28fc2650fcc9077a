/** How good predicted types are, by the tree and by the levels of the ontology. */
import { accuracy, macroF1, segmentationMetrics } from "@cellgrad/cellgrad/metrics";
import type { AnnotatedCells } from "./annotated_cells.ts";
import type { HeldOut } from "./learn.ts";
import { commonNode, descend, isMember } from "./tree.ts";

/** The measures of one way of predicting. */
export interface Measures {
  name: string;
  prediction: Int32Array;
  /** Share of cells given their type. */
  accuracy: number;
  /** Mean over the types of F1. */
  macroF1: number;
  f1: number[];
  recall: number[];
  /** Harmonic mean of hierarchical precision and recall. */
  hierarchicalF1: number;
  /** Cells whose type was mistaken. */
  errors: number;
  /** Those of them that were given a type of another main branch. */
  outsideBranch: number;
  /** Per node of the tree: errors between its branches; at a type, its cells that were missed. */
  errorsAt: number[];
  /** Per level below the root: share of cells whose classes on that level are right. */
  levelAccuracy: number[];
}

/** The most probable type of each cell. */
export function mostProbable({ types }: HeldOut, cells: AnnotatedCells): Int32Array {
  const count = cells.classes.length;
  return cells.labels.map((_, cell) => {
    const row = types.subarray(cell * count, (cell + 1) * count);
    return row.indexOf(Math.max(...row));
  });
}

/** The type of each cell that is reached from the top of the tree. */
export function fromTheTop(
  { types }: HeldOut,
  { classes, labels, tree }: AnnotatedCells,
): Int32Array {
  const count = classes.length;
  return labels.map((_, cell) => descend(tree, types.subarray(cell * count, (cell + 1) * count)));
}

export function measure(name: string, prediction: Int32Array, cells: AnnotatedCells): Measures {
  const { labels, classes, tree, branches } = cells;
  const numClasses = classes.length;
  const wrong = [...labels.keys()].filter((cell) => prediction[cell] !== labels[cell]);
  const errorsAt = tree.nodes.map(() => 0);
  for (const cell of wrong) {
    errorsAt[commonNode(tree, labels[cell]!, prediction[cell]!)]!++;
    errorsAt[tree.leaves[labels[cell]!]!]!++;
  }
  const { f1, recall } = segmentationMetrics(prediction, labels, { numClasses });
  return {
    name,
    prediction,
    accuracy: accuracy(prediction, labels),
    macroF1: macroF1(prediction, labels, { numClasses }),
    f1: [...f1],
    recall: [...recall],
    hierarchicalF1: hierarchicalF1(prediction, cells),
    errors: wrong.length,
    outsideBranch:
      wrong.filter((cell) => branches.of[labels[cell]!] !== branches.of[prediction[cell]!]).length,
    errorsAt,
    levelAccuracy: levelAccuracy(
      cells,
      (cell, level, column) =>
        isMember(cells.hierarchy, cells.nodes[prediction[cell]!]!, level, column),
    ),
  };
}

/**
 * Hierarchical F1 (Kiritchenko et al. 2006): precision and recall of all terms above the predicted
 * and the true types, themselves included and the root level left out, counted over all cells.
 */
function hierarchicalF1(prediction: Int32Array, cells: AnnotatedCells): number {
  let [both, predicted, true_] = [0, 0, 0];
  cells.hierarchy.classes.forEach((columns, level) => {
    if (level === 0) return;
    columns.forEach((_, column) =>
      cells.labels.forEach((label, cell) => {
        const p = isMember(cells.hierarchy, cells.nodes[prediction[cell]!]!, level, column);
        const t = isMember(cells.hierarchy, cells.nodes[label]!, level, column);
        both += Number(p && t);
        predicted += Number(p);
        true_ += Number(t);
      })
    );
  });
  return 2 * both / (predicted + true_);
}

/**
 * Per level below the root: the share of the cells that have a class there for which all classes of
 * the level are told right.
 */
function levelAccuracy(
  cells: AnnotatedCells,
  says: (cell: number, level: number, column: number) => boolean,
): number[] {
  const { labels, nodes, hierarchy: { classes } } = cells;
  return classes.slice(1).map((columns, i) => {
    const level = i + 1;
    const truth = (cell: number, column: number) =>
      isMember(cells.hierarchy, nodes[labels[cell]!]!, level, column);
    const concerned = [...labels.keys()].filter((cell) =>
      columns.some((_, column) => truth(cell, column))
    );
    const right = concerned.filter((cell) =>
      columns.every((_, column) => says(cell, level, column) === truth(cell, column))
    );
    return right.length / concerned.length;
  });
}

/** What the local heads say by themselves: all classes above one half, per level below the root. */
export function localAccuracy(cells: AnnotatedCells, { locals }: HeldOut): number[] {
  const { classes } = cells.hierarchy;
  return levelAccuracy(
    cells,
    (cell, level, column) => locals[level - 1]![cell * classes[level]!.length + column]! > 0.5,
  );
}

/** Share of cells whose depth the global head tells: levels above one half, the root's included. */
export function depthAccuracy(cells: AnnotatedCells, { global }: HeldOut): number {
  const { labels, nodes, hierarchy: { classes, levels } } = cells;
  const right = [...labels.keys()].filter((cell) => {
    const row = global.subarray(cell * classes.length, (cell + 1) * classes.length);
    return row.filter((p) => p > 0.5).length === levels[nodes[labels[cell]!]!]! + 1;
  });
  return right.length / labels.length;
}

/** How many cells have a class on each level below the root. */
export function cellsPerLevel(cells: AnnotatedCells): number[] {
  const { labels, nodes, hierarchy: { classes } } = cells;
  return classes.slice(1).map((columns, i) =>
    [...labels].filter((label) =>
      columns.some((_, column) => isMember(cells.hierarchy, nodes[label]!, i + 1, column))
    ).length
  );
}
