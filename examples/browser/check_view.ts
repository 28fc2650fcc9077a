/** The value and the gradient of a loss, as the page shows them. */
/// <reference lib="dom" />
import { element, formatNumber, paragraph, table } from "./dom.ts";
import type { DeviceResult, GradientCheck } from "./gradient_check.ts";
import type { LossEntry } from "./loss_entry.ts";

/** How far a gradient on WebGPU may be off, by the size of its largest entry. */
export const GRADIENT_TOLERANCE = 1e-3;

/** What WebGPU found; a text where it could not, `undefined` while it computes. */
export type DeviceOutcome = DeviceResult | string | undefined;

/** The elements that show what the CPU and WebGPU found. */
export function checkElements(
  entry: LossEntry,
  check: GradientCheck,
  outcome: DeviceOutcome,
): HTMLElement[] {
  const result = typeof outcome === "object" ? outcome : undefined;
  const waiting = outcome === undefined ? "…" : "–";
  return [
    element(
      "div",
      { class: "tiles" },
      tile("check-cpu", formatNumber(check.value), "value on the CPU"),
      tile("check-gpu", result ? formatNumber(result.value) : waiting, "value on WebGPU"),
      tile(
        "check-error",
        result ? formatNumber(result.gradientError) : waiting,
        "gradient error on WebGPU",
      ),
    ),
    differenceVerdict(check),
    ...deviceVerdict(outcome),
    ...(entry.reverses
      ? [paragraph(
        "quiet",
        `The loss reverses the gradient by ${entry.reverses.output} on purpose; differences are ` +
          "multiplied by the same factor.",
      )]
      : []),
    gradientTable(check),
  ];
}

function tile(id: string, value: string, caption: string): HTMLElement {
  return element("div", {}, element("b", { id }, value), element("span", {}, caption));
}

function differenceVerdict({ checked, skipped, failure }: GradientCheck): HTMLElement {
  const kinks = skipped === 0 ? "" : `; ${skipped} lie at kinks, where no derivative exists`;
  return paragraph(
    failure ? "verdict wrong" : "verdict",
    failure ?? `${checked} derivatives agree with central differences to 1e−6${kinks}.`,
    { id: "check-verdict" },
  );
}

function deviceVerdict(outcome: DeviceOutcome): HTMLElement[] {
  if (outcome === undefined) return [];
  if (typeof outcome === "string") return [paragraph("quiet", outcome)];
  const agrees = outcome.gradientError <= GRADIENT_TOLERANCE;
  return [paragraph(
    agrees ? "verdict" : "verdict wrong",
    `WebGPU's gradient ${agrees ? "agrees" : "does not agree"} with the CPU's: it is off by ` +
      `${formatNumber(outcome.gradientError)} of the largest entry.`,
    { id: "device-verdict" },
  )];
}

function gradientTable({ largest }: GradientCheck): HTMLElement {
  const rows = largest.map(({ input, position, derivative, difference }) => [
    `${input} ${position}`,
    formatDerivative(derivative),
    formatDerivative(difference),
  ]);
  const heads = ["largest derivatives", "gradient", "difference"];
  return element("div", { class: "scroll" }, table(heads, rows));
}

/** Six digits, so that columns line up and small differences show. */
function formatDerivative(x: number): string {
  const size = Math.abs(x);
  const text = size !== 0 && (size < 1e-3 || size >= 1e6) ? x.toExponential(5) : x.toPrecision(6);
  return text.replaceAll("-", "−").replace("e+", "e");
}
