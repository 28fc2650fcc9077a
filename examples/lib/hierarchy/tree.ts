/**
 * The tree of cell types within a hierarchy: the groups that tell types apart, and nothing else.
 *
 * An ontology has many terms above the same types, and terms whose types overlap. Of terms with the
 * same types the deepest stands for all; of overlapping ones the larger is kept, and of equally large
 * ones the deeper.
 */
import type { TermHierarchy } from "@cellgrad/cellgrad/data";

/** A group of types, or a single type. */
export interface TreeNode {
  /** The name of the term, or the label of the type. */
  name: string;
  /** The types in it. */
  types: readonly number[];
  /** The number of the node above; −1 for the root. */
  parent: number;
  /** How many nodes are above. */
  depth: number;
  /** The nodes below; none for a single type. */
  children: number[];
}

export interface TypeTree {
  /** The nodes; the root is the first, and every node comes before those below it. */
  nodes: TreeNode[];
  /** The node of each type. */
  leaves: Int32Array;
}

/** The tree of types: groups first, large ones before small ones, then the types in their order. */
export function typeTree(
  hierarchy: TermHierarchy,
  labels: Int32Array,
  names: readonly string[],
): TypeTree {
  const groups = laminarGroups(hierarchy, labels);
  const nodes: TreeNode[] = [];
  const add = (name: string, types: readonly number[]) => {
    const parent = nodes.findLastIndex((node) => types.every((type) => node.types.includes(type)));
    nodes[parent]?.children.push(nodes.length);
    nodes.push({ name, types, parent, depth: (nodes[parent]?.depth ?? -1) + 1, children: [] });
  };
  const all = [...names.keys()];
  if (groups[0]?.types.length !== all.length) add("all cells", all);
  for (const { name, types } of groups) add(name, types);
  const leaves = Int32Array.from(all, (type) => nodes.length + type);
  names.forEach((name, type) => add(name, [type]));
  return { nodes, leaves };
}

interface Group {
  name: string;
  types: number[];
  level: number;
}

/** Groups of several types of which any two are one within the other or apart, large ones first. */
function laminarGroups(hierarchy: TermHierarchy, labels: Int32Array): Group[] {
  const { ids, names, levels, classes } = hierarchy;
  const candidates = ids.map((id, node): Group => {
    const level = levels[node]!;
    const column = classes[level]!.indexOf(id);
    const types = [...labels.keys()].filter((type) =>
      isMember(hierarchy, labels[type]!, level, column)
    );
    return { name: names[node]!, types, level };
  }).filter(({ types }) => types.length > 1)
    .sort((a, b) => b.types.length - a.types.length || b.level - a.level);
  const kept: Group[] = [];
  for (const group of candidates) {
    const fits = kept.every(({ types }) => {
      const common = group.types.filter((type) => types.includes(type)).length;
      return common === 0 || (common === group.types.length && common < types.length);
    });
    if (fits) kept.push(group);
  }
  return kept;
}

/** Whether a node is, or lies below, the class of a column on a level. */
export function isMember(
  { membership, classes }: TermHierarchy,
  node: number,
  level: number,
  column: number,
): boolean {
  return membership[level]!.data[node * classes[level]!.length + column] === 1;
}

/** The smallest group that holds two types; the type itself where both are the same. */
export function commonNode({ nodes, leaves }: TypeTree, a: number, b: number): number {
  let node = leaves[a]!;
  while (!nodes[node]!.types.includes(b)) node = nodes[node]!.parent;
  return node;
}

/** The type that is reached down the tree, at each fork by the larger sum of probabilities. */
export function descend({ nodes }: TypeTree, probabilities: ArrayLike<number>): number {
  let node = nodes[0]!;
  while (node.children.length > 0) {
    const sums = node.children.map((child) =>
      nodes[child]!.types.reduce((sum, type) => sum + probabilities[type]!, 0)
    );
    node = nodes[node.children[sums.indexOf(Math.max(...sums))]!]!;
  }
  return node.types[0]!;
}

/** The nodes from top to bottom as a drawing lists them: below each node its branches. */
export function drawingOrder({ nodes }: TypeTree): number[] {
  const visit = (node: number): number[] => [node, ...nodes[node]!.children.flatMap(visit)];
  return visit(0);
}
