/**
 * In which order to contract several tensors.
 *
 * @module
 */

/** An operand by its number, or two contractions. */
export type Tree = number | readonly [Tree, Tree];

/** A contraction of some operands. */
interface Plan {
  tree: Tree;
  /** The operands. */
  members: readonly number[];
  /** The labels of its result. */
  labels: readonly string[];
  /** Multiplications. */
  cost: number;
}

/** So many are tried in all orders; of more, the cheapest pairs come first. */
const TRIED = 7;

/**
 * The order of least cost.
 *
 * @param operands The labels of each.
 * @param output The labels of the result.
 * @param extents The extent of each label.
 * @returns Which two are contracted first, and so on.
 */
export function contractionOrder(
  operands: readonly (readonly string[])[],
  output: readonly string[],
  extents: ReadonlyMap<string, number>,
): Tree {
  const join = (a: Plan, b: Plan): Plan => {
    const members = [...a.members, ...b.members];
    const labels = [...new Set([...a.labels, ...b.labels])];
    const isNeeded = (label: string) =>
      output.includes(label) ||
      operands.some((own, i) => own.includes(label) && !members.includes(i));
    const cost = labels.reduce((product, label) => product * extents.get(label)!, 1);
    return {
      tree: [a.tree, b.tree],
      members,
      labels: labels.filter(isNeeded),
      cost: a.cost + b.cost + cost,
    };
  };
  let plans = operands.map((labels, i): Plan => ({ tree: i, members: [i], labels, cost: 0 }));
  while (plans.length > TRIED) plans = joinCheapest(plans, join);
  return cheapest(plans, join).tree;
}

/** With the pair joined that adds the least cost. */
function joinCheapest(plans: readonly Plan[], join: (a: Plan, b: Plan) => Plan): Plan[] {
  const pairs = plans.flatMap((a, i) => plans.slice(i + 1).map((b) => [a, b] as const));
  const added = pairs.map(([a, b]) => join(a, b).cost - a.cost - b.cost);
  const [a, b] = pairs[added.indexOf(Math.min(...added))]!;
  return [...plans.filter((plan) => plan !== a && plan !== b), join(a, b)];
}

/** The cheapest way to join all, from the cheapest ways to join the parts; sets are bits. */
function cheapest(plans: readonly Plan[], join: (a: Plan, b: Plan) => Plan): Plan {
  const all = 2 ** plans.length - 1;
  const best: Plan[] = [];
  plans.forEach((plan, i) => best[1 << i] = plan);
  for (let set = 1; set <= all; set++) {
    for (let part = (set - 1) & set; part > set - part; part = (part - 1) & set) {
      const found = join(best[part]!, best[set - part]!);
      if (found.cost < (best[set]?.cost ?? Infinity)) best[set] = found;
    }
  }
  return best[all]!;
}
