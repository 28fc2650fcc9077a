import { assertEquals } from "@std/assert";
import * as argReduce from "../../src/ops/arg_reduce.ts";
import * as arithmetic from "../../src/ops/arithmetic.ts";
import * as compare from "../../src/ops/compare.ts";
import * as conv from "../../src/ops/conv.ts";
import * as cumulative from "../../src/ops/cumulative.ts";
import * as exponential from "../../src/ops/exponential.ts";
import * as gradient from "../../src/ops/gradient.ts";
import * as hyperbolic from "../../src/ops/hyperbolic.ts";
import * as join from "../../src/ops/join.ts";
import * as layout from "../../src/ops/layout.ts";
import * as likelihood from "../../src/ops/negative_binomial.ts";
import * as linalg from "../../src/ops/linalg.ts";
import * as quantile from "../../src/ops/quantile.ts";
import * as entropy from "../../src/ops/relative_entropy.ts";
import * as reduce from "../../src/ops/reduce.ts";
import * as rounding from "../../src/ops/rounding.ts";
import * as segment from "../../src/ops/segment.ts";
import * as sparse from "../../src/ops/sparse_product.ts";
import * as special from "../../src/ops/special.ts";
import * as select from "../../src/ops/select.ts";
import * as sorting from "../../src/ops/sort.ts";
import * as trigonometric from "../../src/ops/trigonometric.ts";
import * as windows from "../../src/ops/windows.ts";
import { ROWS as ELEMENTWISE } from "./elementwise_table.ts";
import { ROWS as STRUCTURAL } from "./structural_table.ts";
import { assertListed } from "../guards.ts";

const FAMILIES = [
  argReduce,
  arithmetic,
  compare,
  conv,
  cumulative,
  entropy,
  exponential,
  gradient,
  hyperbolic,
  join,
  layout,
  likelihood,
  linalg,
  quantile,
  reduce,
  rounding,
  segment,
  select,
  sorting,
  sparse,
  special,
  trigonometric,
  windows,
];

/** Every exported record, by the name of its constant. */
const RECORDS = FAMILIES.flatMap((family) =>
  Object.entries(family).filter(([, value]) => typeof value === "object" && "vjp" in value)
);

Deno.test("every operation's record has exactly one row in the tables", () => {
  const rows = [...ELEMENTWISE, ...STRUCTURAL].map((row) => row.op as unknown);
  const listed = RECORDS.filter(([, record]) => rows.includes(record)).map(([name]) => name);
  const place = "tests/ops/elementwise_table.ts or tests/ops/structural_table.ts";
  assertListed(place, listed, RECORDS.map(([name]) => name));
  for (const [name, record] of RECORDS) {
    assertEquals([name, rows.filter((op) => op === record).length], [name, 1]);
  }
  assertEquals(rows.length, RECORDS.length);
});

Deno.test("every record is exported under its own name", () => {
  for (const [constant, record] of RECORDS) {
    const { name } = record as { name: string };
    assertEquals(constant.replace("Constant", ""), `${name}Op`);
  }
});
