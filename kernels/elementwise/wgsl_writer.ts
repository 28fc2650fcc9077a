/**
 * The inside of WGSL loops: operands, assignments and stores by name.
 *
 * @module
 */
import { ExpressionWriter, VALUE_TYPES, variable, type WgslValue } from "../wgsl/expression.ts";
import { declareFunctions } from "../functions/wgsl.ts";
import {
  type Binding,
  createKernel,
  type KernelDraft,
  WGSL_TYPES,
  type WgslElement,
  type WgslPlan,
} from "../wgsl/kernel.ts";
import type { ElementType } from "./elements.ts";
import type { Assignment, LoopSpec, PassLoad } from "./passes.ts";
import { namesIn } from "./passes.ts";

/** A kernel, and the buffers that it is bound to: operands by number, then stores. */
export type BoundKernel = WgslPlan["kernels"][number];

/** Writes the statements of one kernel, and keeps in mind what it needs. */
export class LoopWriter {
  /** What the loop does. */
  readonly spec: LoopSpec;
  /** Translates expressions. */
  readonly expressions: ExpressionWriter = new ExpressionWriter();
  /** Names in expressions: what they stand for is hidden, or `x + y - x` would become `y`. */
  readonly #combined: ReadonlySet<string>;
  readonly #values = new Map<string, WgslValue>();
  readonly #inputs = new Map<number, Binding>();
  readonly #outputs = new Map<number, Binding>();

  constructor(spec: LoopSpec) {
    this.spec = spec;
    this.#combined = new Set(
      spec.body.flatMap((statement) => "reduce" in statement ? [] : namesIn(statement.expression)),
    );
  }

  /** The value of a name. */
  valueOf(name: string): WgslValue {
    return this.#values.get(name)!;
  }

  /** Makes a name known, as a variable of the same name. */
  define(name: string, type: WgslValue["type"]): string {
    const identifier = identifierOf(name);
    this.#values.set(name, variable(identifier, type));
    return identifier;
  }

  /** The numbers of the operands that have one value per row and are needed. */
  rowOperands(): number[] {
    const { operands, body, stores } = this.spec;
    const needed = new Set(stores.map(({ name }) => name));
    for (const { lookup } of operands) if (lookup) needed.add(lookup.positions);
    for (const statement of body) {
      if ("reduce" in statement) needed.add(statement.of);
      else namesIn(statement.expression).forEach((name) => needed.add(name));
    }
    return [...operands.keys()].filter((i) => !operands[i]!.moves && needed.has(operands[i]!.name));
  }

  /** Reads a value: of an operand, or what an earlier pass stored. */
  load({ name, from, index }: PassLoad, position: string): string {
    const { dtype } = (from === "operand" ? this.spec.operands : this.spec.stores)[index]!;
    const lookup = from === "operand" ? this.spec.operands[index]!.lookup : undefined;
    const skipped = lookup && `u32(${this.valueOf(lookup.positions).code}) * ${lookup.step}u`;
    const at = skipped === undefined ? position : `${skipped} + ${position}`;
    const element = `${this.#bind(from, index)}[${at}]`;
    const value = elementOf(dtype) === "bool" ? `${element} != 0u` : element;
    return `let ${this.define(name, VALUE_TYPES[elementOf(dtype)])} = ${value};`;
  }

  /** Computes a value. */
  assign({ name, expression, dtype }: Assignment): string {
    const value = this.expressions.translate(expression, (known) => this.valueOf(known));
    const typed = dtype === undefined ? value : this.expressions.toElement(elementOf(dtype), value);
    const isArithmetic = expression.kind === "binary" || expression.kind === "negate";
    const isHidden = typed.type === "f32" && isArithmetic && this.#combined.has(name);
    const { code } = isHidden ? this.expressions.hide(typed) : typed;
    return `let ${this.define(name, typed.type)} = ${code};`;
  }

  /** Writes a value to an output: the one that is stored there, or by name. */
  store(index: number, position: string, name: string = this.spec.stores[index]!.name): string {
    const { dtype } = this.spec.stores[index]!;
    const value = this.expressions.toElement(elementOf(dtype), this.valueOf(name));
    const word = value.type === "bool" ? `select(0u, 1u, ${value.code})` : value.code;
    return `${this.#bind("output", index)}[${position}] = ${word};`;
  }

  /** The kernel of the statements in `draft.body`. */
  finish(
    draft: Pick<KernelDraft, "groups" | "workgroupSize" | "declarations" | "body">,
  ): BoundKernel {
    const byNumber = (bindings: ReadonlyMap<number, Binding>) =>
      [...bindings].sort(([i], [j]) => i - j);
    const [inputs, outputs] = [byNumber(this.#inputs), byNumber(this.#outputs)];
    const functions = declareFunctions(this.expressions.functions);
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

/** The types of the values that have a name. */
export function typesOf({ operands, body }: LoopSpec): Map<string, WgslValue["type"]> {
  const types = new Map(operands.map(({ name, dtype }) => [name, VALUE_TYPES[elementOf(dtype)]]));
  const expressions = new ExpressionWriter();
  for (const statement of body) {
    if ("reduce" in statement) {
      types.set(statement.name, types.get(statement.of) === "f32" ? "f32" : "i32");
      continue;
    }
    const { name, expression, dtype } = statement;
    const value = expressions.translate(expression, (known) => variable(known, types.get(known)!));
    types.set(name, dtype === undefined ? value.type : VALUE_TYPES[elementOf(dtype)]);
  }
  return types;
}

function elementOf(dtype: ElementType): WgslElement {
  if (dtype === "float64") {
    throw new TypeError("Cannot emit WGSL as it has no double precision: current type is float64");
  }
  return dtype;
}

/** What a loop does, in a few words: the functions that it calls and how it reduces. */
function nameOf({ body }: LoopSpec): string {
  const words = body.flatMap((statement) =>
    "reduce" in statement
      ? [statement.reduce]
      : JSON.stringify(statement.expression).match(/(?<="call","name":")\w+/g) ?? []
  );
  return ["loop", ...new Set(words)].join(" ");
}
