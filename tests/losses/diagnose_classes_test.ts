import { tensor } from "@cellgrad/cellgrad";
import { diagnoseClasses, diagnosisTable } from "@cellgrad/cellgrad/losses";
import { assertAlmostEquals, assertEquals, assertStringIncludes } from "@std/assert";
import fc from "fast-check";
import { gridNumbers, RUNS } from "../arbitraries.ts";
import { testMisuse } from "./laws.ts";

/** The guide's table. */
const GUIDE = { recall: [0.95, 0.82, 0.91, 0.67], precision: [0.92, 0.79, 0.45, 0.71] };

Deno.test("diagnoseClasses() gives the guide's verdicts", () => {
  const rows = diagnoseClasses(GUIDE, { names: ["bg", "er", "mito", "nuc"] });
  assertEquals(rows.map(({ name, verdict }) => [name, verdict]), [
    ["bg", "balanced"],
    ["er", "balanced"],
    ["mito", "over-predicting"],
    ["nuc", "balanced"],
  ]);
});

Deno.test("diagnoseClasses() computes the IoU that recall and precision imply", () => {
  const ious = diagnoseClasses(GUIDE).map(({ iou }) => iou);
  [0.878, 0.673, 0.431, 0.526].forEach((iou, c) => assertAlmostEquals(ious[c]!, iou, 5e-4));
});

Deno.test("diagnoseClasses() keeps the scores, and numbers classes without names", () => {
  const [row] = diagnoseClasses({ recall: [0.5], precision: [1] });
  assertEquals([row!.name, row!.recall, row!.precision, row!.iou], ["0", 0.5, 1, 0.5]);
});

Deno.test("diagnoseClasses() turns its verdict around with recall and precision", () => {
  const score = gridNumbers(0.01, 1);
  const opposite = {
    balanced: "balanced",
    "over-predicting": "under-predicting",
    "under-predicting": "over-predicting",
  };
  fc.assert(
    fc.property(score, score, (a, b) => {
      const [row] = diagnoseClasses({ recall: [a], precision: [b] });
      const [mirrored] = diagnoseClasses({ recall: [b], precision: [a] });
      assertEquals(mirrored!.verdict as string, opposite[row!.verdict]);
    }),
    RUNS,
  );
});

Deno.test("diagnoseClasses() takes a difference of just the tolerance for balance", () => {
  const verdicts = diagnoseClasses({ recall: [0.8, 0.6], precision: [0.6, 0.8] })
    .map(({ verdict }) => verdict);
  assertEquals(verdicts, ["balanced", "balanced"]);
});

Deno.test("diagnoseClasses() takes a difference of 1e-9 for rounding", () => {
  const metrics = { recall: [1e-9, 2e-9], precision: [2e-9, 1e-9] };
  const verdicts = diagnoseClasses(metrics, { tolerance: 0 }).map(({ verdict }) => verdict);
  assertEquals(verdicts, ["balanced", "balanced"]);
});

Deno.test("diagnoseClasses() takes a tolerance", () => {
  const verdict = (tolerance: number) =>
    diagnoseClasses({ recall: [0.8], precision: [0.6] }, { tolerance })[0]!.verdict;
  assertEquals([verdict(0.1), verdict(0.3)], ["over-predicting", "balanced"]);
});

Deno.test("diagnoseClasses() calls a class of which nothing was found under-predicted", () => {
  const [row] = diagnoseClasses({ recall: [0], precision: [0] });
  assertEquals([row!.verdict, row!.iou], ["under-predicting", 0]);
  assertStringIncludes(row!.advice, "Nothing of it was found");
});

Deno.test("diagnoseClasses() advises on each side", () => {
  const [over, under, balanced] = diagnoseClasses({
    recall: [0.9, 0.4, 0.8],
    precision: [0.4, 0.9, 0.8],
  });
  assertStringIncludes(over!.advice, "tverskyAlpha 0.7");
  assertStringIncludes(under!.advice, "tverskyAlpha 0.3");
  assertStringIncludes(balanced!.advice, "leave the loss as it is");
});

Deno.test("diagnoseClasses() does not advise to leave the loss where balance is low", () => {
  const [low, decent] = diagnoseClasses({ recall: [0.3, 0.6], precision: [0.3, 0.75] });
  assertEquals([low!.verdict, decent!.verdict], ["balanced", "balanced"]);
  assertStringIncludes(low!.advice, "both are low");
  assertStringIncludes(decent!.advice, "leave the loss as it is");
});

Deno.test("diagnoseClasses() takes tensors and typed arrays", () => {
  const recall = tensor(GUIDE.recall, { dtype: "float64" });
  const precision = Float64Array.from(GUIDE.precision);
  assertEquals(diagnoseClasses({ recall, precision }), diagnoseClasses(GUIDE));
});

Deno.test("diagnosisTable() prints the guide's table, with the IoU that must be", () => {
  const rows = diagnoseClasses(GUIDE, { names: ["bg", "er", "mito", "nuc"] });
  assertEquals(
    diagnosisTable(rows),
    `Class    Val Recall  Val Precision  Val IoU
------------------------------------------------
bg            0.95        0.92        0.88  ✅ Good balance
er            0.82        0.79        0.67  ✅ Good balance
mito          0.91        0.45        0.43  ❌ Over-predicting (high recall, low precision)
nuc           0.67        0.71        0.53  ✅ Reasonable balance`,
  );
});

Deno.test("diagnosisTable() says of every class how it does, whatever its name's length", () => {
  const rows = diagnoseClasses(
    { recall: [0.2, 0, 0.3, 0.6], precision: [0.9, 0, 0.3, 0.75] },
    { names: ["mitochondria", "er", "nucleus", "lysosome"] },
  );
  assertEquals(
    diagnosisTable(rows),
    `Class          Val Recall  Val Precision  Val IoU
------------------------------------------------------
mitochondria        0.20        0.90        0.20  ❌ Under-predicting (low recall, high precision)
er                  0.00        0.00        0.00  ❌ Not found
nucleus             0.30        0.30        0.18  ⚠️ In balance, but low
lysosome            0.60        0.75        0.50  ✅ Reasonable balance`,
  );
  assertEquals(diagnosisTable([]).split("\n").length, 2);
});

Deno.test("diagnosisTable() calls no class good that is out of balance, or not good", () => {
  const score = gridNumbers(0.01, 1);
  fc.assert(
    fc.property(score, score, (recall, precision) => {
      const [row] = diagnoseClasses({ recall: [recall], precision: [precision] });
      const line = diagnosisTable([row!]).split("\n").at(-1)!;
      assertEquals(line.includes("✅"), row!.verdict === "balanced" && row!.iou > 0.5 - 1e-9, line);
    }),
    RUNS,
  );
});

testMisuse("diagnosisTable", [
  [
    "scores that were not diagnosed",
    () => diagnosisTable(GUIDE as never),
    TypeError,
    "Cannot compute diagnosisTable as rows must be what diagnoseClasses returns: " +
    "current value is an object",
  ],
  [
    "rows of something else",
    () => diagnosisTable([{ name: "bg", recall: 1 }] as never),
    TypeError,
    "Cannot compute diagnosisTable as rows must be what diagnoseClasses returns: " +
    "current value is an array of 1 entry",
  ],
]);

testMisuse("diagnoseClasses", [
  [
    "scores of different numbers of classes",
    () => diagnoseClasses({ recall: [1, 1], precision: [1] }),
    TypeError,
    "Cannot compute diagnoseClasses as recall and precision must have the same shape: " +
    "current shapes are [2] and [1]",
  ],
  [
    "scores that are no vector",
    () => diagnoseClasses({ recall: 1, precision: 1 }),
    TypeError,
    "Cannot compute diagnoseClasses as recall must have the shape [classes]: current shape is []",
  ],
  [
    "names for other classes",
    () => diagnoseClasses({ recall: [1, 1], precision: [1, 1] }, { names: ["bg"] }),
    TypeError,
    "Cannot compute diagnoseClasses as names must name every class: current value has 1, " +
    "recall has the shape [2]",
  ],
  [
    "a tolerance above 1",
    () => diagnoseClasses({ recall: [1], precision: [1] }, { tolerance: 20 }),
    RangeError,
    "Cannot compute diagnoseClasses as tolerance must be a finite number at least 0 and " +
    "at most 1: current value is 20",
  ],
  [
    "an unknown option",
    () => diagnoseClasses({ recall: [1], precision: [1] }, { labels: ["a"] } as never),
    TypeError,
    "Cannot compute diagnoseClasses as there is no option labels: the options are " +
    "names, tolerance",
  ],
]);
