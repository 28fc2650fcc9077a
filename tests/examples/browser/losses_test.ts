import { assert, assertEquals, assertThrows } from "@std/assert";
import { simulatedCells } from "../../../examples/browser/cells.ts";
import { checkPoint, samplePoint } from "../../../examples/browser/gradient_check.ts";
import { LOSSES } from "../../../examples/browser/losses.ts";
import type { LossEntry } from "../../../examples/browser/loss_entry.ts";
import {
  defaultsOf,
  type NumberParameter,
  type ParameterValues,
} from "../../../examples/browser/parameters.ts";
import * as library from "../../../src/losses/mod.ts";
import { assertListed } from "../../guards.ts";

const cells = simulatedCells({ cells: 60, genes: 20 });

/** Whether a parameter is the page's, and the library's function does not have it as such. */
function isOwn(entry: LossEntry, name: string): boolean {
  if (name === "weight") return entry.parameters.weight!.kind === "choice";
  return entry.name === "hmcnLoss" && name === "beta";
}

/** Losses of places in space, which cells do not have. */
const SPATIAL = ["boundaryLoss", "clDiceLoss", "hausdorffLoss"];

/** Parameters with defaults of the page's own. */
const PAGE_DEFAULTS: Readonly<Record<string, readonly string[]>> = {
  // The page needs the time step itself, to know the future.
  velocityConsistencyLoss: ["dt"],
  // The library has no default.
  quantileLoss: ["quantile"],
  // Derivatives are those of the converged problem, so differences only agree there.
  sinkhornDivergence: ["epsilon", "tolerance"],
};

function valueOf(entry: LossEntry, values: ParameterValues): number {
  const { inputs, loss } = samplePoint({ entry, values, cells });
  return loss(inputs).item();
}

Deno.test("LOSSES holds every loss of the library", () => {
  const endings = "Loss|Objective|Error|Auroc|Distance|Divergence|Deviance|Wasserstein|1d|hsic|Kl";
  const names = Object.keys(library).filter((name) => new RegExp(`(${endings})$`).test(name));
  const makers = ["createLoss", "recommendLoss"];
  assertListed(
    "LOSSES of the browser example (examples/browser/losses.ts)",
    LOSSES.map(({ name }) => name),
    names.filter((name) => ![...makers, ...SPATIAL].includes(name)),
  );
});

Deno.test("LOSSES have gradients that differences confirm", () => {
  for (const entry of LOSSES) {
    const task = { entry, values: defaultsOf(entry.parameters), cells };
    const { checked, failure } = checkPoint(task, samplePoint(task));
    assertEquals(failure, undefined, entry.name);
    assert(checked > 0, `${entry.name}: nothing was checked`);
  }
});

Deno.test("LOSSES have the library's defaults", () => {
  for (const entry of LOSSES) {
    const values = defaultsOf(entry.parameters);
    const bare = Object.fromEntries(
      Object.entries(values).map(([name, value]) =>
        [
          name,
          isOwn(entry, name) || PAGE_DEFAULTS[entry.name]?.includes(name) ? value : undefined,
        ] as const
      ),
    );
    assertEquals(valueOf(entry, bare), valueOf(entry, values), entry.name);
  }
});

/** Values just outside the range of a parameter. */
function outside({ integer, min, above, max, below }: NumberParameter): number[] {
  return [
    ...(min === undefined ? [] : [min - 0.5]),
    ...(above === undefined ? [] : [above]),
    ...(max === undefined ? [] : [max + 0.5]),
    ...(below === undefined ? [] : [below]),
    ...(integer ? [1.5] : []),
  ];
}

Deno.test("LOSSES have the library's ranges", () => {
  let count = 0;
  for (const entry of LOSSES) {
    const values = defaultsOf(entry.parameters);
    for (const [name, parameter] of Object.entries(entry.parameters)) {
      if (parameter.kind !== "number" || isOwn(entry, name)) continue;
      for (const value of outside(parameter)) {
        const error = assertThrows(() => valueOf(entry, { ...values, [name]: value }), RangeError);
        assert(error.message.includes(name), `${entry.name}: ${error.message}`);
        count++;
      }
    }
  }
  assert(count > 80, `${count} values were refused`);
});

Deno.test("LOSSES are finite under every choice", () => {
  let count = 0;
  for (const entry of LOSSES) {
    const values = defaultsOf(entry.parameters);
    for (const [name, parameter] of Object.entries(entry.parameters)) {
      const choices = parameter.kind === "choice"
        ? parameter.choices
        : parameter.kind === "switch"
        ? [false, true]
        : [];
      for (const choice of choices) {
        const value = valueOf(entry, { ...values, [name]: choice });
        assert(Number.isFinite(value), `${entry.name}: ${name} ${choice} gives ${value}`);
        count++;
      }
    }
  }
  assert(count > 100, `${count} choices were tried`);
});

Deno.test("checkPoint() finds what is wrong", () => {
  const entry = LOSSES.find(({ name }) => name === "domainAdversarialLoss")!;
  // Without a word about its reversal, the gradient looks wrong, as it is meant to be.
  const { reverses: _, ...silent } = entry;
  const task = { entry: silent, values: defaultsOf(entry.parameters), cells };
  const { failure } = checkPoint(task, samplePoint(task));
  assert(failure?.startsWith("Cannot confirm the derivative by input 0"), failure);
});
