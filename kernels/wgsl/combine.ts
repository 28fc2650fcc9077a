/**
 * Sums, products and maxima of values in WGSL.
 *
 * @module
 */
import { declareFunctions } from "../functions/wgsl.ts";
import { WGSL_TYPES, type WgslElement } from "./kernel.ts";

/** How results begin, and what is made of one and another value. */
export interface Combination {
  /** What changes nothing. */
  readonly start: string;
  readonly combine: (x: string, y: string) => string;
  /** The functions that both use. */
  readonly declarations: string;
}

/** How values are combined; maxima of nothing are the lowest number. */
export function combinationOf(
  reduce: "sum" | "product" | "max",
  element: WgslElement,
): Combination {
  const type = WGSL_TYPES[element];
  if (reduce !== "max") {
    const [start, operator] = reduce === "sum" ? [0, "+"] : [1, "*"];
    return {
      start: `${type}(${start})`,
      combine: (x, y) => `${x} ${operator} ${y}`,
      declarations: "",
    };
  }
  const isFloat = type === "f32";
  return {
    start: isFloat ? "number_from_bits(0xff800000u)" : `${type}(-2147483647 - 1)`,
    combine: (x, y) => `${isFloat ? "scalar_max" : "max"}(${x}, ${y})`,
    declarations: isFloat ? declareFunctions(["scalar_max", "number_from_bits"]) : "",
  };
}
