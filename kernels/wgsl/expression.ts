/**
 * Scalar expressions as WGSL: what operators and functions mean for numbers, 32-bit integers and
 * truth values.
 *
 * @module
 */
import { type Expression, type Operator, toFunction } from "../elementwise/expression.ts";
import { namesIn } from "../elementwise/passes.ts";
import type { WgslElement } from "./kernel.ts";

/** A value in a shader. */
export interface WgslValue {
  /** Its text. */
  readonly code: string;
  /** Its type. */
  readonly type: "f32" | "i32" | "bool";
  /** Whether the text binds tighter than any operator. */
  readonly isAtom?: boolean;
  /** The number that a constant is. */
  readonly literal?: number;
}

const LARGEST_INTEGER = 2 ** 31 - 1;
const SMALLEST_INTEGER = -(2 ** 31);

/** A value that is a variable, or reads one. */
export function variable(code: string, type: WgslValue["type"]): WgslValue {
  return { code, type, isAtom: true };
}

/** Translates expressions, and keeps in mind which functions they need. */
export class ExpressionWriter {
  /** The functions to declare. */
  readonly functions: Set<string> = new Set();

  /** The value of an expression, given those of its names. */
  translate(e: Expression, valueOf: (name: string) => WgslValue): WgslValue {
    if (e.kind === "number" || namesIn(e).length === 0) return this.number(toFunction(e)({}));
    const value = (x: Expression) => this.translate(x, valueOf);
    switch (e.kind) {
      case "name":
        return valueOf(e.name);
      case "negate":
        return this.#negate(value(e.operand));
      case "binary":
        return this.#operate(e.operator, value(e.left), value(e.right));
      case "choose":
        return this.#choose(value(e.condition), value(e.then), value(e.otherwise));
      case "call":
        return this.#call(e.name, e.arguments.map(value));
    }
  }

  /** A constant; infinities and NaN, which constants must not be, come from a function. */
  number(literal: number): WgslValue {
    const single = Math.fround(literal);
    const isPlain = Number.isFinite(single) &&
      (Math.abs(single) >= 2 ** -126 || Object.is(single, 0));
    if (isPlain) {
      return { code: `${single && literal}f`, type: "f32", isAtom: literal >= 0, literal };
    }
    const bits = new Uint32Array(Float32Array.of(single).buffer)[0]!;
    const code = `${this.#use("number_from_bits")}(0x${bits.toString(16).padStart(8, "0")}u)`;
    return { code, type: "f32", isAtom: true, literal };
  }

  /** A value as one of the given type; truth is 1 or 0, and whatever is not 0 or NaN is true. */
  convert(type: WgslValue["type"], value: WgslValue): WgslValue {
    if (value.type === type) return value;
    if (type === "bool") {
      const code = value.type === "i32"
        ? `${inner(value)} != 0i`
        : value.literal === undefined
        ? `abs(${value.code}) > 0f`
        : String(Math.abs(value.literal) > 0);
      return { code, type };
    }
    if (value.type === "bool") {
      const [no, yes] = type === "f32" ? ["0f", "1f"] : ["0i", "1i"];
      return variable(`select(${no}, ${yes}, ${value.code})`, type);
    }
    if (type === "i32" && value.literal !== undefined) return integer(value.literal);
    return variable(`${type}(${value.code})`, type);
  }

  /** A value in the type of an element of a tensor. */
  toElement(dtype: WgslElement, value: WgslValue): WgslValue {
    return this.convert(VALUE_TYPES[dtype], value);
  }

  /** The larger or the smaller of two; NaN wins. */
  extreme(name: "max" | "min", x: WgslValue, y: WgslValue): WgslValue {
    if (meetAsIntegers([x, y], isIntegral)) {
      const [a, b] = [this.convert("i32", x), this.convert("i32", y)];
      return variable(`${name}(${a.code}, ${b.code})`, "i32");
    }
    const [a, b] = [this.convert("f32", x), this.convert("f32", y)];
    return variable(`${this.#use(`scalar_${name}`)}(${a.code}, ${b.code})`, "f32");
  }

  /** A number of which compilers know nothing. */
  hide(x: WgslValue): WgslValue {
    return variable(`${this.#use("opaque")}(${x.code})`, "f32");
  }

  #use(name: string): string {
    this.functions.add(name);
    return name;
  }

  #negate(x: WgslValue): WgslValue {
    const type = meetAsIntegers([x]) ? "i32" : "f32";
    return { code: `-${inner(this.convert(type, x))}`, type };
  }

  #operate(operator: Operator, x: WgslValue, y: WgslValue): WgslValue {
    const isArithmetic = !/[<=]/.test(operator);
    if (!isArithmetic && x.type === "bool" && y.literal === 0 && /=/.test(operator)) {
      if (operator === "!=") return x;
      if (operator === "==") return variable(`!${inner(x)}`, "bool");
    }
    const type = operator !== "/" && meetAsIntegers([x, y]) ? "i32" : "f32";
    const [a, b] = [this.convert(type, x), this.convert(type, y)];
    if (!isArithmetic) return this.#compare(operator, a, b);
    const [left, right] = type === "f32" ? this.#hide(operator, a, b) : [a, b];
    return { code: `${inner(left)} ${operator} ${inner(right)}`, type };
  }

  /** Hides from compilers what they would simplify as if there were no NaN, infinity or -0. */
  #hide(operator: Operator, x: WgslValue, y: WgslValue): [WgslValue, WgslValue] {
    const hidden = (value: WgslValue) => this.hide(value);
    const isKnown = (value: WgslValue) => value.literal !== undefined && value.literal !== 0;
    if (operator === "/") return isKnown(y) ? [x, y] : [isKnown(x) ? x : hidden(x), hidden(y)];
    if (x.literal === 0) return [hidden(x), y];
    return y.literal === 0 || x.code === y.code && operator === "-" ? [x, hidden(y)] : [x, y];
  }

  /** A comparison; of numbers, what is NaN equals nothing, itself neither. */
  #compare(operator: Operator, x: WgslValue, y: WgslValue): WgslValue {
    const isNumber = x.type === "f32";
    if (isNumber && x.code === y.code && /=/.test(operator)) {
      const test = `${this.#use("is_nan")}(${x.code})`;
      return operator === "!=" ? variable(test, "bool") : variable(`!${test}`, "bool");
    }
    // Some compilers take `!=` for "less or greater".
    const code = isNumber && operator === "!="
      ? `!(${inner(x)} == ${inner(y)})`
      : `${inner(x)} ${operator} ${inner(y)}`;
    return { code, type: "bool" };
  }

  #choose(condition: WgslValue, x: WgslValue, y: WgslValue): WgslValue {
    const isTruth = x.type === "bool" && y.type === "bool";
    const type = isTruth ? "bool" : meetAsIntegers([x, y]) ? "i32" : "f32";
    const [a, b] = [this.convert(type, x), this.convert(type, y)];
    return variable(
      `select(${b.code}, ${a.code}, ${this.convert("bool", condition).code})`,
      type,
    );
  }

  #call(name: string, args: readonly WgslValue[]): WgslValue {
    const [x, y] = args as [WgslValue, WgslValue];
    if (name === "max" || name === "min") {
      return args.reduce((a, b) => this.extreme(name, a, b));
    }
    if ((name === "abs" || name === "sign") && meetAsIntegers([x])) {
      return variable(`${name}(${this.convert("i32", x).code})`, "i32");
    }
    const operand = this.convert("f32", x);
    if (name === "abs" || name === "sqrt") return variable(`${name}(${operand.code})`, "f32");
    if (name === "pow") return this.#power(operand, this.convert("f32", y));
    const operands = args.map((arg) => this.convert("f32", arg).code).join(", ");
    return variable(`${this.#use(`scalar_${name}`)}(${operands})`, "f32");
  }

  /** Powers by products and roots where the exponent is a constant that allows it. */
  #power(x: WgslValue, y: WgslValue): WgslValue {
    const text = inner(x);
    if (y.literal === 0) return this.number(1);
    if (y.literal === 1) return x;
    if (y.literal === -1) return this.#operate("/", this.number(1), x);
    if (x.isAtom && (y.literal === 2 || y.literal === 3)) {
      return { code: Array(y.literal).fill(text).join(" * "), type: "f32" };
    }
    return variable(`${this.#use("scalar_pow")}(${x.code}, ${y.code})`, "f32");
  }
}

/** What values of elements are in a shader. */
export const VALUE_TYPES: Readonly<Record<WgslElement, WgslValue["type"]>> = {
  float32: "f32",
  int32: "i32",
  bool: "bool",
};

/** The text of a value as an operand of an operator. */
function inner({ code, isAtom = false }: WgslValue): string {
  return isAtom ? code : `(${code})`;
}

/** An integer constant, the nearest one. */
function integer(literal: number): WgslValue {
  const value = Math.min(LARGEST_INTEGER, Math.max(SMALLEST_INTEGER, Math.trunc(literal)));
  const code = value === SMALLEST_INTEGER ? `i32(${value})` : `${value}i`;
  return { code, type: "i32", isAtom: value >= 0 || value === SMALLEST_INTEGER, literal };
}

function isWhole({ literal }: WgslValue): boolean {
  return literal !== undefined && literal === (literal | 0) && !Object.is(literal, -0);
}

/** Whether a constant limits integers as one of them would. */
function isIntegral(value: WgslValue): boolean {
  return isWhole(value) || Math.abs(value.literal ?? 0) === Infinity;
}

/** Whether values meet as integers: one of them is, or is truth, and none has a fraction. */
function meetAsIntegers(
  values: readonly WgslValue[],
  fits: (value: WgslValue) => boolean = isWhole,
): boolean {
  return values.some(({ literal }) => literal === undefined) &&
    values.every((value) => value.type !== "f32" || fits(value));
}
