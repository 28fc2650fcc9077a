/**
 * The inside of WGSL loops: operands, assignments and stores by name.
 *
 * @module
 */
import { type Kind, parameter, type Scalar } from "../functions/algebra.ts";
import { declareFunctions, WgslPrinter } from "../functions/wgsl.ts";
import { createKernel, type KernelDraft, WGSL_TYPES, type WgslKernel } from "../wgsl/kernel.ts";
import type { Assignment, LoopOperand, LoopSpec, LoopStore, PassLoad } from "./passes.ts";
import { callsIn, namesIn } from "./expression.ts";
import { KINDS, toKind, toScalar } from "./scalars.ts";

/** Writes the statements of one kernel, and keeps in mind what it needs. */
export class LoopWriter {
  /** What the loop does. */
  readonly spec: LoopSpec;
  /** Names in expressions: what they stand for is hidden, or `x + y - x` would become `y`. */
  readonly #combined: ReadonlySet<string>;
  readonly #printer = new WgslPrinter();
  readonly #values = new Map<string, Scalar>();

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

  /** The kind in which a value is reduced. */
  reducedKind(of: string): "float" | "integer" {
    return this.valueOf(of).kind === "float" ? "float" : "integer";
  }

  /** Makes a name known, as a variable of the same name. */
  define(name: string, kind: Kind): string {
    // Neither a word of the language nor one of its functions.
    const identifier = /\d$/.test(name) ? name : `${name}_`;
    this.#values.set(name, parameter(identifier, "float32", kind));
    return identifier;
  }

  /** A statement with the text of a value, behind those that the value takes. */
  print(value: Scalar, statement: (text: string) => string): string {
    return this.#printer.statements(value, statement);
  }

  /** The operands that have one value per row and are needed, positions of slices first. */
  rowLoads(): PassLoad[] {
    const { operands, body, stores } = this.spec;
    const needed = new Set([
      ...stores.map(({ name }) => name),
      ...operands.flatMap(({ lookup }) => lookup ? [lookup.positions] : []),
      ...body.flatMap((x) => "reduce" in x ? [x.of] : namesIn(x.expression)),
    ]);
    return [...operands.entries()]
      .filter(([, { name, moves }]) => !moves && needed.has(name))
      .toSorted(([, a], [, b]) => Number(a.lookup !== undefined) - Number(b.lookup !== undefined))
      .map(([index, { name }]) => ({ name, from: "operand", index }));
  }

  /** Reads a value: of an operand, or what an earlier pass stored. */
  load({ name, from, index }: PassLoad, position: string): string {
    const { operands, stores } = this.spec;
    const lane: LoopOperand | LoopStore = (from === "operand" ? operands : stores)[index]!;
    const lookup = "lookup" in lane ? lane.lookup : undefined;
    const skipped = lookup &&
      `u32(${this.valueOf(lookup.positions).literal}) * ${lookup.step >>> 0}u`;
    const at = skipped === undefined ? position : `${skipped} + ${position}`;
    const element = `${from === "operand" ? "input" : "output"}_${lane.name}[${at}]`;
    const value = lane.dtype === "bool" ? `${element} != 0u` : element;
    return `let ${this.define(name, KINDS[lane.dtype])} = ${value};`;
  }

  /** Computes a value. */
  assign({ name, expression, dtype }: Assignment): string {
    const scalar = toScalar(expression, (name) => this.valueOf(name), "float32");
    const own = typeof scalar === "number" ? "float" : scalar.kind;
    const kind = dtype === undefined ? own : KINDS[dtype];
    const isArithmetic = expression.kind === "binary" || expression.kind === "negate";
    const isHidden = kind === "float" && isArithmetic && this.#combined.has(name);
    if (isHidden) this.#printer.uses.add("opaque");
    return this.print(
      toKind(kind, scalar, "float32"),
      (text) => `let ${this.define(name, kind)} = ${isHidden ? `opaque(${text})` : text};`,
    );
  }

  /** Writes a value to an output: the one that is stored there, or by name. */
  store(index: number, position: string, name: string = this.spec.stores[index]!.name): string {
    const { name: output, dtype } = this.spec.stores[index]!;
    const value = toKind(KINDS[dtype], this.valueOf(name), "float32");
    const word = (text: string) => value.kind === "truth" ? `select(0u, 1u, ${text})` : text;
    return this.print(value, (text) => `output_${output}[${position}] = ${word(text)};`);
  }

  /** The kernel of the statements in `draft.body`. */
  finish(
    draft: Pick<KernelDraft, "groups" | "workgroupSize" | "declarations" | "body">,
  ): WgslKernel {
    const { operands, body, stores } = this.spec;
    const words = body.flatMap((x) => "reduce" in x ? [x.reduce] : callsIn(x.expression));
    const bind = (prefix: string) => ({ name, dtype }: LoopOperand | LoopStore) => {
      if (dtype !== "float64") return { name: `${prefix}_${name}`, type: WGSL_TYPES[dtype] };
      throw new TypeError(
        "Cannot emit WGSL as it has no double precision: current type is float64",
      );
    };
    return createKernel({
      ...draft,
      name: ["loop", ...new Set(words)].join(" "),
      inputs: operands.map(bind("input")),
      outputs: stores.map(bind("output")),
      declarations: [declareFunctions(this.#printer.uses), draft.declarations].join("\n\n"),
    });
  }
}

/** The kinds of the values that have a name. */
export function kindsOf(spec: LoopSpec): (name: string) => Kind {
  const writer = new LoopWriter(spec);
  for (const { name, dtype } of spec.operands) writer.define(name, KINDS[dtype]);
  for (const x of spec.body) {
    if ("reduce" in x) writer.define(x.name, writer.reducedKind(x.of));
    else writer.assign(x);
  }
  return (name) => writer.valueOf(name).kind;
}
