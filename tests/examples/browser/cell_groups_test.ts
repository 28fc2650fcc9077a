import { assert, assertEquals } from "@std/assert";
import { tensor } from "../../../mod.ts";
import {
  firstAndOthers,
  setsOfBatches,
  survivalOf,
} from "../../../examples/browser/cell_groups.ts";
import { simulatedCells } from "../../../examples/browser/cells.ts";

const cells = simulatedCells({ cells: 60, genes: 20 });

Deno.test("firstAndOthers() parts rows by their batch", () => {
  const batches = tensor([1, 0, 2, 0]);
  const [first, others] = firstAndOthers(tensor([[1], [2], [3], [4]]), { ...cells, batches });
  assertEquals(first.toArray(), [[2], [4]]);
  assertEquals(others.toArray(), [[1], [3]]);
});

Deno.test("setsOfBatches() orders cells by batch, and leaves the rest out", () => {
  const batches = tensor([1, 0, 1, 0, 0, 1, 1, 0, 1]);
  const { rows, batchLabels } = setsOfBatches({ ...cells, batches }, 4);
  assertEquals(rows.toArray(), [1, 3, 4, 7, 0, 2, 5, 6]);
  assertEquals(batchLabels.toArray(), [0, 1]);
});

Deno.test("survivalOf() gives later types earlier events", () => {
  const { times, events } = survivalOf(cells);
  const [t, labels] = [[...times.data].map(Number), [...cells.labels.data].map(Number)];
  assert(t.every((time) => time > 0));
  const median = (type: number) => {
    const own = t.filter((_, i) => labels[i] === type).sort((a, b) => a - b);
    return own[own.length >> 1]!;
  };
  assert(median(0) > median(5), `${median(0)} is not after ${median(5)}`);
  const share = [...events.data].filter(Boolean).length / t.length;
  assert(share > 0.6 && share < 1, `${share} of the cells have an event`);
});
