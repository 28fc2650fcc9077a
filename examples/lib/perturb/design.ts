/** Which perturbations there are, and which of them are held out. */
import type { Tensor } from "@cellgrad/cellgrad";
import { foldIn, permutation } from "@cellgrad/cellgrad/random";

/** How many perturbations there are. */
export interface DesignSizes {
  /** Genes that can be activated. */
  perturbable: number;
  /** How many of them are seen alone in training; the others never are. */
  seenGenes: number;
  /** Combinations of two seen genes to learn from. */
  trainCombinations: number;
  /** Held-out combinations of each kind: with two, one and no seen gene. */
  testCombinations: number;
}

/** What a held-out perturbation asks of a model. */
export type ConditionKind =
  | "training"
  | "new gene"
  | "both genes seen"
  | "one gene seen"
  | "no gene seen";

/** The kinds of held-out perturbations, easy ones first. */
export const HELD_OUT_KINDS: readonly ConditionKind[] = [
  "both genes seen",
  "one gene seen",
  "no gene seen",
  "new gene",
];

/** A perturbation: one gene activated, or two together. */
export interface Condition {
  /** The genes' names, joined by `+`. */
  name: string;
  /** The activated genes. */
  genes: readonly number[];
  /** Whether it is learned from, and what it asks where it is not. */
  kind: ConditionKind;
}

/** Draws the design: all single activations, and combinations of each kind. */
export function drawConditions(key: Tensor, sizes: DesignSizes): Condition[] {
  const { perturbable, seenGenes, trainCombinations, testCombinations } = sizes;
  const order = Array.from(permutation(foldIn(key, 0), perturbable).data);
  const [seen, unseen] = [order.slice(0, seenGenes), order.slice(seenGenes)];
  const within = (genes: readonly number[]) =>
    genes.flatMap((a, i) => genes.slice(i + 1).map((b) => [a, b]));
  const shuffled = (pairs: number[][], stream: number) =>
    Array.from(permutation(foldIn(key, stream), pairs.length).data, (i) => pairs[i]!);
  const both = shuffled(within(seen), 1);
  const one = shuffled(seen.flatMap((a) => unseen.map((b) => [a, b])), 2);
  const none = shuffled(within(unseen), 3);
  const parts: [ConditionKind, number[][]][] = [
    ["training", [...seen.map((gene) => [gene]), ...both.slice(0, trainCombinations)]],
    ["both genes seen", both.slice(trainCombinations, trainCombinations + testCombinations)],
    ["one gene seen", one.slice(0, testCombinations)],
    ["no gene seen", none.slice(0, testCombinations)],
    ["new gene", unseen.map((gene) => [gene])],
  ];
  return parts.flatMap(([kind, list]) => list.map((genes) => toCondition(genes, kind)));
}

function toCondition(genes: readonly number[], kind: ConditionKind): Condition {
  const sorted = genes.toSorted((a, b) => a - b);
  return { name: sorted.map((gene) => `gene ${gene + 1}`).join(" + "), genes: sorted, kind };
}
