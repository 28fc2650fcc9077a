/**
 * A diagnosis of classes as text.
 *
 * @module
 */
import { describe } from "../describe.ts";
import { refuseMore } from "../options.ts";
import { type ClassDiagnosis, type ClassVerdict, DECENT_IOU } from "./diagnose_classes.ts";

const VERDICTS: readonly ClassVerdict[] = ["balanced", "over-predicting", "under-predicting"];

/** From this IoU on, balance is called good; the guide's examples have 0.67 and 0.53. */
const GOOD_IOU = 0.6 - 1e-9;

/**
 * The rows of {@linkcode diagnoseClasses} as text: the loss-function guide's monitoring table.
 *
 * A class in balance is called good from an IoU of 0.6 on and reasonable from 0.5 on, which is between
 * the guide's examples; below that it has a warning, as balance alone is no success. The numbers have
 * two digits. The IoU is computed, see {@linkcode diagnoseClasses}: three of the guide's four differ
 * from it by 0.01.
 *
 * Source: dinov3_playground `LOSS_FUNCTION_GUIDE.md`, "Monitoring Results".
 *
 * @param rows What {@linkcode diagnoseClasses} returned.
 * @returns The lines of the table, to be printed.
 * @throws {TypeError} If the rows are anything else.
 *
 * @example The guide's table
 * ```ts
 * import { diagnoseClasses, diagnosisTable } from "@cellgrad/cellgrad/losses";
 * import { assertEquals } from "@std/assert";
 *
 * const metrics = { recall: [0.95, 0.82, 0.91, 0.67], precision: [0.92, 0.79, 0.45, 0.71] };
 * const rows = diagnoseClasses(metrics, { names: ["bg", "er", "mito", "nuc"] });
 * assertEquals(
 *   diagnosisTable(rows),
 *   `Class    Val Recall  Val Precision  Val IoU
 * ------------------------------------------------
 * bg            0.95        0.92        0.88  ✅ Good balance
 * er            0.82        0.79        0.67  ✅ Good balance
 * mito          0.91        0.45        0.43  ❌ Over-predicting (high recall, low precision)
 * nuc           0.67        0.71        0.53  ✅ Reasonable balance`,
 * );
 * ```
 */
export function diagnosisTable(rows: readonly ClassDiagnosis[]): string {
  if (arguments.length > 1) refuseMore("diagnosisTable", "rows", 1, arguments);
  checkRows(rows);
  const width = Math.max(6, ...rows.map(({ name }) => name.length));
  const lines = rows.map((row) => {
    const scores = [row.recall, row.precision, row.iou].map((x) => x.toFixed(2).padStart(12));
    return `${row.name.padEnd(width)}${scores.join("")}  ${remark(row)}`;
  });
  const head = `${"Class".padEnd(width + 3)}Val Recall  Val Precision  Val IoU`;
  return [head, "-".repeat(width + 42), ...lines].join("\n");
}

function checkRows(rows: unknown): asserts rows is readonly ClassDiagnosis[] {
  if (Array.isArray(rows) && !rows.includes(undefined) && rows.every(isDiagnosis)) return;
  throw new TypeError(
    `Cannot compute diagnosisTable as rows must be what diagnoseClasses returns: ` +
      `current value is ${describe(rows)}`,
  );
}

function isDiagnosis(row: unknown): row is ClassDiagnosis {
  const { name, recall, precision, iou, verdict } = Object(row);
  return typeof name === "string" && VERDICTS.includes(verdict) &&
    [recall, precision, iou].every((score) => typeof score === "number");
}

function remark({ verdict, recall, iou }: ClassDiagnosis): string {
  if (verdict === "over-predicting") return "❌ Over-predicting (high recall, low precision)";
  if (recall === 0) return "❌ Not found";
  if (verdict === "under-predicting") return "❌ Under-predicting (low recall, high precision)";
  if (iou >= GOOD_IOU) return "✅ Good balance";
  return iou >= DECENT_IOU ? "✅ Reasonable balance" : "⚠️ In balance, but low";
}
