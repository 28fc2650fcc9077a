/**
 * The inside of WGSL loops: operands, assignments and stores by name.
 *
 * @module
 */
import type { DType } from "../../src/dtype.ts";
import { type Kind, parameter, type Scalar } from "../functions/algebra.ts";
import { declareFunctions, WgslPrinter } from "../functions/wgsl.ts";
import {
  type Binding,
  createKernel,
  type KernelDraft,
  WGSL_TYPES,
  type WgslElement,
  type WgslPlan,
} from "../wgsl/kernel.ts";
import type { Assignment, LoopSpec, PassLoad } from "./passes.ts";
import { callsIn, namesIn } from "./expression.ts";
import { KINDS, toKind, toScalar } from "./scalars.ts";

/** A kernel, and the buffers that it is bound to: operands by number, then stores. */
export type BoundKernel = WgslPlan["kernels"][number];

/** Writes the statements of one kernel, and keeps in mind what it needs. */
export class LoopWriter {
  /** What the loop does. */
  readonly spec: LoopSpec;
  /** Names in expressions: what they stand for is hidden, or `x + y - x` would become `y`. */
  readonly #combined: ReadonlySet<string>;
  readonly #printer = new WgslPrinter();
  readonly #values = new Map<string, Scalar>();
  readonly #inputs = new Map<number, Binding>();
  readonly #outputs = new Map<number, Binding>();

  constructor(spec: LoopSpec) {
    this.spec = spec;
    this.#combined = new Set(
      spec.body.flatMap((statement) => "reduce" in statement ? [] : namesIn(statement.expression)),
    );
  }

  /** The value of a name. */
  valueOf(name: string): Scalar {
    return this.#values.get(name)!;
  }

  /** Makes a name known, as a variable of the same name. */
  define(name: string, kind: Kind): string {
    const identifier = identifierOf(name);
    this.#values.set(name, parameter(identifier, "float32", kind));
    return identifier;
  }

  /** A statement with the text of a value, behind those that the value takes. */
  print(value: Scalar, statement: (text: string) => string): string {
    return this.#printer.statements(value, statement);
  }

  /** The operands that have one value per row and are needed. */
  rowLoads(): PassLoad[] {
    const { operands, body, stores } = this.spec;
    const needed = new Set(stores.map(({ name }) => name));
    for (const { lookup } of operands) if (lookup) needed.add(lookup.positions);
    for (const statement of body) {
      if ("reduce" in statement) needed.add(statement.of);
      else namesIn(statement.expression).forEach((name) => needed.add(name));
    }
    return operands.flatMap(({ name, moves }, index) =>
      moves || !needed.has(name) ? [] : [{ name, from: "operand", index }]
    );
  }

  /** Reads a value: of an operand, or what an earlier pass stored. */
  load({ name, from, index }: PassLoad, position: string): string {
    const { dtype } = (from === "operand" ? this.spec.operands : this.spec.stores)[index]!;
    const lookup = from === "operand" ? this.spec.operands[index]!.lookup : undefined;
    const skipped = lookup &&
      `u32(${this.valueOf(lookup.positions).literal}) * ${lookup.step >>> 0}u`;
    const at = skipped === undefined ? position : `${skipped} + ${position}`;
    const element = `${this.#bind(from, index)}[${at}]`;
    const value = elementOf(dtype) === "bool" ? `${element} != 0u` : element;
    return `let ${this.define(name, KINDS[dtype])} = ${value};`;
  }

  /** Computes a value. */
  assign(assignment: Assignment): string {
    const { name, expression } = assignment;
    const value = valueOfAssignment(assignment, this.#values);
    const { kind } = value;
    const isArithmetic = expression.kind === "binary" || expression.kind === "negate";
    const isHidden = kind === "float" && isArithmetic && this.#combined.has(name);
    if (isHidden) this.#printer.uses.add("opaque");
    return this.print(
      value,
      (text) => `let ${this.define(name, kind)} = ${isHidden ? `opaque(${text})` : text};`,
    );
  }

  /** Writes a value to an output: the one that is stored there, or by name. */
  store(index: number, position: string, name: string = this.spec.stores[index]!.name): string {
    const { dtype } = this.spec.stores[index]!;
    const value = toKind(KINDS[dtype], this.valueOf(name), "float32");
    const word = (text: string) => value.kind === "truth" ? `select(0u, 1u, ${text})` : text;
    const element = `${this.#bind("output", index)}[${position}]`;
    return this.print(value, (text) => `${element} = ${word(text)};`);
  }

  /** The kernel of the statements in `draft.body`. */
  finish(
    draft: Pick<KernelDraft, "groups" | "workgroupSize" | "declarations" | "body">,
  ): BoundKernel {
    const byNumber = (bindings: ReadonlyMap<number, Binding>) =>
      [...bindings].sort(([i], [j]) => i - j);
    const [inputs, outputs] = [byNumber(this.#inputs), byNumber(this.#outputs)];
    const functions = declareFunctions(this.#printer.uses);
    const kernel = createKernel({
      ...draft,
      name: nameOf(this.spec),
      inputs: inputs.map(([, binding]) => binding),
      outputs: outputs.map(([, binding]) => binding),
      declarations: [functions, draft.declarations ?? ""].filter((x) => x !== "").join("\n\n"),
    });
    return {
      kernel,
      inputs: inputs.map(([i]) => i),
      outputs: outputs.map(([i]) => this.spec.operands.length + i),
    };
  }

  /** The name of a buffer, which the kernel is bound to from now on. */
  #bind(from: PassLoad["from"], index: number): string {
    const [lanes, bindings, prefix] = from === "operand"
      ? [this.spec.operands, this.#inputs, "input"]
      : [this.spec.stores, this.#outputs, "output"];
    const name = `${prefix}_${lanes[index]!.name}`;
    bindings.set(index, { name, type: WGSL_TYPES[elementOf(lanes[index]!.dtype)] });
    return name;
  }
}

/** A name that is neither a word of the language nor one of its functions. */
function identifierOf(name: string): string {
  return /\d$/.test(name) ? name : `${name}_`;
}

/** The value of an assignment, given the names before. */
function valueOfAssignment(
  { expression, dtype }: Assignment,
  values: ReadonlyMap<string, Scalar>,
): Scalar {
  const value = toScalar(expression, (name) => values.get(name)!, "float32");
  const own = typeof value === "number" ? "float" : value.kind;
  return toKind(dtype === undefined ? own : KINDS[elementOf(dtype)], value, "float32");
}

/** The kinds of the values that have a name. */
export function kindsOf({ operands, body }: LoopSpec): Map<string, Kind> {
  const values = new Map<string, Scalar>();
  const define = (name: string, kind: Kind) => values.set(name, parameter(name, "float32", kind));
  for (const { name, dtype } of operands) define(name, KINDS[dtype]);
  for (const statement of body) {
    const { kind } = "reduce" in statement
      ? values.get(statement.of)!
      : valueOfAssignment(statement, values);
    define(statement.name, "reduce" in statement && kind === "truth" ? "integer" : kind);
  }
  return new Map([...values].map(([name, { kind }]) => [name, kind]));
}

function elementOf(dtype: DType): WgslElement {
  if (dtype === "float64") {
    throw new TypeError("Cannot emit WGSL as it has no double precision: current type is float64");
  }
  return dtype;
}

/** What a loop does, in a few words: the functions that it calls and how it reduces. */
function nameOf({ body }: LoopSpec): string {
  const words = body.flatMap((statement) =>
    "reduce" in statement ? [statement.reduce] : callsIn(statement.expression)
  );
  return ["loop", ...new Set(words)].join(" ");
}
