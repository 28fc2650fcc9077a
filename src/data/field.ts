/**
 * Fields of delimited text as numbers.
 *
 * @module
 */
import { describe } from "../describe.ts";

/**
 * The values of a column: numbers where all of its fields are, else text. Integers beyond 2⁵³, which
 * would lose digits, are text.
 */
export type TableColumn = Float64Array | string[];

/** What a table's options say of its numbers. */
export interface FieldReader {
  /** The mark in front of decimals. */
  readonly decimal: "." | ",";
  /** Whether a field holds a number, not one of another kind or a missing one. */
  isNumber(field: string): boolean;
  /** The number of a field, NaN where it is missing, `undefined` where it is text. */
  read(field: string): number | undefined;
}

const NUMBER = /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i;
const COMMA_NUMBER = /^[+-]?(?:\d+(?:,\d*)?|,\d+)(?:e[+-]?\d+)?$/i;
const INFINITY = /^([+-]?)inf(?:inity)?$/i;
const MISSING = /^(?:|[+-]?nan|#?na|#?n\/a|<na>|null|none|nil|--?|\.|\?)$/i;

/**
 * How fields are read under a table's options.
 *
 * @param name What the table is called in messages.
 * @param options `missing` and `decimal`.
 * @returns The reader.
 * @throws {TypeError} If an option does not have one of its values.
 */
export function fieldReader(
  name: string,
  { missing, decimal = "." }: {
    missing?: readonly string[] | undefined;
    decimal?: "." | "," | undefined;
  },
): FieldReader {
  if (decimal !== "." && decimal !== ",") {
    throw new TypeError(
      `Cannot read ${name} as decimal must be "." or ",": current value is ${describe(decimal)}`,
    );
  }
  if (missing !== undefined && !isTexts(missing)) {
    throw new TypeError(
      `Cannot read ${name} as missing must be an array of texts: current value is ${
        describe(missing)
      }`,
    );
  }
  const given = missing && new Set(["", ...missing.map((text) => text.trim())]);
  const pattern = decimal === "." ? NUMBER : COMMA_NUMBER;
  return {
    decimal,
    isNumber: (field) => pattern.test(field.trim()),
    read(field) {
      const text = field.trim();
      if (given?.has(text)) return NaN;
      if (pattern.test(text)) {
        const value = Number(decimal === "." ? text : text.replace(",", "."));
        return losesDigits(text, value) ? undefined : value;
      }
      if (INFINITY.test(text)) return text.startsWith("-") ? -Infinity : Infinity;
      return given === undefined && MISSING.test(text) ? NaN : undefined;
    },
  };
}

/** Whether a text is an integer that its value in double precision neither is nor gives back. */
export function losesDigits(text: string, value: number): boolean {
  if (Math.abs(value) < 2 ** 53 || !/^[+-]?\d+$/.test(text)) return false;
  const digits = text.replace("+", "");
  if (!Number.isFinite(value)) return true;
  return String(value) !== digits && BigInt(value) !== BigInt(digits);
}

function isTexts(value: unknown): value is readonly string[] {
  return Array.isArray(value) && value.every((text) => typeof text === "string");
}

/** Numbers where all fields are, with `NaN` for missing ones; else the fields as they are. */
export function toColumn(fields: string[], reader: FieldReader): TableColumn {
  const out = new Float64Array(fields.length);
  let found = fields.length === 0;
  for (let i = 0; i < fields.length; i++) {
    const value = reader.read(fields[i]!);
    if (value === undefined) return fields;
    out[i] = value;
    if (!Number.isNaN(value)) found = true;
  }
  return found ? out : fields;
}
