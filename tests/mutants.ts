/**
 * How source files are spoiled to see whether tests notice: every formula and gradient rule loses a
 * factor, a term, a check or a branch, or changes a sign, a number, an axis or a default.
 *
 * @module
 */
import { parse } from "@babel/parser";

/** A part of a syntax tree: what is needed of it here. */
interface Node {
  type: string;
  start: number;
  end: number;
  // deno-lint-ignore no-explicit-any
  [key: string]: any;
}

/** A change of a source file. */
export interface Mutant {
  file: string;
  line: number;
  /** The lines that change, as they were and as they become, in one line. */
  before: string;
  after: string;
  /** The whole file with the change. */
  source: string;
}

/** By which of its operands a call is replaced. */
const OPERANDS: ReadonlyMap<string, readonly number[]> = new Map(Object.entries({
  ...Object.fromEntries(
    ["abs", "clip", "div", "exp", "expm1", "l2Normalize", "lgamma", "log", "log1p", "neg", "pow"]
      .concat(["relu", "sigmoid", "softmax", "softplus", "sqrt", "square", "stopGradient", "sub"])
      .concat(["sum", "mean", "tanh", "transpose", "variance", "gradientReversal", "digamma"])
      .map((name) => [name, [0]]),
  ),
  add: [0, 1],
  mul: [0, 1],
  maximum: [0, 1],
  minimum: [0, 1],
  where: [1, 2],
}));

/** By which other operations a call is replaced. */
const OTHERS: ReadonlyMap<string, readonly string[]> = new Map(Object.entries({
  add: ["sub"],
  sub: ["add"],
  sum: ["mean"],
  mean: ["sum"],
  max: ["min"],
  min: ["max"],
  argMax: ["argMin"],
  maximum: ["minimum"],
  minimum: ["maximum"],
  log1p: ["log"],
  expm1: ["exp"],
  equal: ["notEqual"],
  notEqual: ["equal"],
  less: ["lessEqual", "greater"],
  lessEqual: ["less", "greaterEqual"],
  greater: ["greaterEqual", "less"],
  greaterEqual: ["greater", "lessEqual"],
}));

/** By which other operators an operator is replaced. */
const OPERATORS: Record<string, string> = {
  "+": "-",
  "-": "+",
  "*": "/",
  "/": "*",
  "**": "*",
  "<": "<=",
  "<=": "<",
  ">": ">=",
  ">=": ">",
};

/** By which other choices the default of an option is replaced. */
const CHOICES: Record<string, readonly string[]> = {
  mean: ["sum"],
  zero: ["nan"],
  plain: ["balanced"],
  signed: ["abs"],
  mse: ["mae", "bce"],
  hard: ["soft"],
  topk: ["soft"],
  linear: ["rbf"],
  expr: ["scGPT"],
  "inner product": ["inner product, detach"],
};

/** What stands in place of a node, or of a part of it. */
type Change = readonly [node: Node, after: string];
type Text = (node: Node) => string;

/** How nodes are spoiled, by their types; `Text` gives the source of a node. */
const SPOIL: Record<string, (node: Node, text: Text) => Change[]> = {
  CallExpression: (node, text) => {
    const { object, property, name = property?.name } = node.callee;
    const operands: string[] = (object ? [object, ...node.arguments] : node.arguments).map(text);
    const plain = object?.name === "Math";
    const asTensor = (x: string) => plain ? x : `cgAsTensor(${x})`;
    const kept = (OPERANDS.get(name) ?? []).map((k) => operands[plain ? k + 1 : k]);
    const others = (OTHERS.get(name) ?? []).map((other) =>
      `${asTensor(operands[0]!)}.${other}(${operands.slice(1).join(", ")})`
    );
    const changes = [...kept.filter((operand) => operand !== undefined).map(asTensor), ...others];
    return changes.map((after) => [node, after]);
  },
  ExpressionStatement: (node) => node.expression.type === "CallExpression" ? [[node, ";"]] : [],
  IfStatement: ({ test, consequent }) => {
    const isCheck = (consequent.body?.[0] ?? consequent).type === "ThrowStatement";
    return isCheck ? [[test, "false"]] : [[test, "true"], [test, "false"]];
  },
  ConditionalExpression: (node, text) => [
    [node, text(node.consequent)],
    [node, text(node.alternate)],
  ],
  LogicalExpression: (node, text) => [[node, text(node.left)], [node, text(node.right)]],
  BinaryExpression: (node, text) => {
    const other = OPERATORS[node.operator];
    return other ? [[node, `${text(node.left)} ${other} ${text(node.right)}`]] : [];
  },
  UnaryExpression: (node, text) =>
    "-!".includes(node.operator) ? [[node, text(node.argument)]] : [],
  ObjectProperty: ({ value }) =>
    (CHOICES[value.value] ?? []).map((other) => [value, JSON.stringify(other)]),
  BooleanLiteral: (node) => [[node, String(!node.value)]],
  NumericLiteral: (node) => [[node, String(node.value < 2 ? Number(!node.value) : 2 * node.value)]],
};

/** All mutants of a file. */
export function mutantsOf(file: string, source: string): Mutant[] {
  const { program } = parse(source, { sourceType: "module", plugins: ["typescript"] });
  const text: Text = ({ start, end }) => source.slice(start, end);
  const found = new Map<string, Mutant>();
  for (const [node, inFormula] of nodesOf(program as Node, file.startsWith("src/losses/"))) {
    // Outside of formulas, such as in the loops of an operation, calls of operations are spoiled.
    if (!inFormula && node.type !== "CallExpression") continue;
    for (const [{ start, end }, after] of SPOIL[node.type]?.(node, text) ?? []) {
      const spoiled = source.slice(0, start) + after + source.slice(end);
      const line = source.slice(0, start).split("\n").length;
      found.set(spoiled, {
        file,
        line,
        before: linesOf(source, start, end),
        after: linesOf(spoiled, start, start + after.length),
        source: spoiled,
      });
    }
  }
  return [...found.values()];
}

/** The lines of a source between two positions, in one line. */
function linesOf(source: string, start: number, end: number): string {
  const next = source.indexOf("\n", end);
  const lines = source.slice(source.lastIndexOf("\n", start - 1) + 1, next < 0 ? undefined : next);
  return lines.trim().replace(/\s+/g, " ");
}

/** All nodes but types, messages, indices and `keepDims`, and whether they belong to a formula. */
function* nodesOf(node: Node, inFormula: boolean): Generator<[Node, boolean]> {
  if (/^Import|^Throw|^TS(?!.*Expression)/.test(node.type)) return;
  if (node.key?.name === "keepDims") return;
  const formula = inFormula || OPERANDS.has(node.callee?.name ?? "") ||
    node.params?.[0]?.name === "g";
  yield [node, formula];
  for (const [key, value] of Object.entries(node)) {
    const isIndex = node.type === "MemberExpression" && key === "property";
    if (isIndex || key === "loc" || key.endsWith("Comments")) continue;
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child?.type === "string") yield* nodesOf(child, formula);
    }
  }
}

/** The source with the helper that changes use. */
export function withHelper(file: string, source: string): string {
  const path = "../".repeat(file.split("/").length - 2) || "./";
  return `import { asTensor as cgAsTensor } from "${path}tensor.ts";\n${source}`;
}
