import { assertEquals, assertThrows } from "@std/assert";
import {
  describeRange,
  type Parameter,
  readParameter,
} from "../../../examples/browser/parameters.ts";

const about = "";
const SHARE: Parameter = { kind: "number", default: 0, min: 0, max: 1, about };
const COUNT: Parameter = { kind: "number", default: 15, integer: true, min: 1, about };
const OPTIONAL: Parameter = { kind: "number", default: undefined, above: 0, below: 0.5, about };
const WIDTHS: Parameter = { kind: "numbers", default: [1], about };

Deno.test("describeRange() says which values there are", () => {
  assertEquals(describeRange(SHARE), "0 to 1");
  assertEquals(describeRange(COUNT), "whole, 1 or more");
  assertEquals(describeRange(OPTIONAL), "above 0 to below 0.5, or nothing");
  assertEquals(describeRange(WIDTHS), "numbers above 0, between blanks");
  assertEquals(
    describeRange({ kind: "number", default: 1, above: 0, about }),
    "above 0",
  );
});

Deno.test("readParameter() reads what is in the range", () => {
  assertEquals(readParameter("share", SHARE, " 1 "), 1);
  assertEquals(readParameter("count", COUNT, "1e2"), 100);
  assertEquals(readParameter("epsilon", OPTIONAL, ""), undefined);
  assertEquals(readParameter("widths", WIDTHS, "1, 2 4"), [1, 2, 4]);
  assertEquals(readParameter("switch", { kind: "switch", default: true, about }, "false"), false);
});

Deno.test("readParameter() says what else was typed", () => {
  const bad: [Parameter, string, string][] = [
    [SHARE, "1.5", "must be 0 to 1: current value is 1.5"],
    [SHARE, "", "must be 0 to 1: current value is empty"],
    [SHARE, "Infinity", "must be 0 to 1: current value is Infinity"],
    [COUNT, "1.5", "must be whole, 1 or more: current value is 1.5"],
    [OPTIONAL, "0.5", "must be above 0 to below 0.5, or nothing: current value is 0.5"],
    [WIDTHS, "1 0", "must be numbers above 0, between blanks: current value is 1 0"],
  ];
  for (const [parameter, text, message] of bad) {
    const error = assertThrows(() => readParameter("it", parameter, text), RangeError);
    assertEquals(error.message, `Cannot use it as it ${message}`);
  }
});
