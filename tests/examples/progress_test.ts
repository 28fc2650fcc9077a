import { assert, assertEquals, assertLess } from "@std/assert";
import fc from "fast-check";
import { formatCount, formatDuration, formatMetric } from "../../examples/lib/format.ts";
import { progressBar, type ProgressOutput } from "../../examples/lib/progress.ts";
import { displayWidth, printable, textTable, truncate } from "../../examples/lib/table.ts";

/** An output that keeps what is written, and a clock that moves when told. */
function recorder(isTerminal: boolean, columns?: number) {
  const written: string[] = [];
  const clock = { time: 0 };
  const output: ProgressOutput = { isTerminal, columns, write: (text) => void written.push(text) };
  return { written, clock, output, now: () => clock.time };
}

/** Runs all epochs, each taking `step` milliseconds. */
function train(folds: number, epochs: number, step: number, record: ReturnType<typeof recorder>) {
  const bar = progressBar({ folds, epochs, output: record.output, now: record.now });
  for (let fold = 1; fold <= folds; fold++) {
    for (let epoch = 1; epoch <= epochs; epoch++) {
      record.clock.time += step;
      bar.update({ fold, epoch, loss: 1 / epoch, accuracy: 0.5 });
    }
  }
  bar.finish();
}

Deno.test("progressBar() writes four plain lines per fold without a terminal", () => {
  const record = recorder(false);
  train(2, 8, 100, record);
  assertEquals(record.written, [
    "fold 1/2  epoch 2/8  loss 0.500  accuracy 0.500  1.4 s left\n",
    "fold 1/2  epoch 4/8  loss 0.250  accuracy 0.500  1.2 s left\n",
    "fold 1/2  epoch 6/8  loss 0.167  accuracy 0.500  1.0 s left\n",
    "fold 1/2  epoch 8/8  loss 0.125  accuracy 0.500  0.8 s left\n",
    "fold 2/2  epoch 2/8  loss 0.500  accuracy 0.500  0.6 s left\n",
    "fold 2/2  epoch 4/8  loss 0.250  accuracy 0.500  0.4 s left\n",
    "fold 2/2  epoch 6/8  loss 0.167  accuracy 0.500  0.2 s left\n",
    "fold 2/2  epoch 8/8  loss 0.125  accuracy 0.500\n",
  ]);
});

Deno.test("progressBar() breaks a silence of ten seconds without a terminal", () => {
  const record = recorder(false);
  train(1, 1000, 1000, record);
  assertEquals(record.written.length, 100);
});

Deno.test("progressBar() redraws one line on a terminal", () => {
  const record = recorder(true, 120);
  train(1, 3, 1000, record);
  assertEquals(record.written, [
    "\r\x1b[2K████████░░░░░░░░░░░░░░░░ fold 1/1  epoch 1/3  loss 1.000  accuracy 0.500  2.0 s left",
    "\r\x1b[2K████████████████░░░░░░░░ fold 1/1  epoch 2/3  loss 0.500  accuracy 0.500  1.0 s left",
    "\r\x1b[2K████████████████████████ fold 1/1  epoch 3/3  loss 0.333  accuracy 0.500",
    "\n",
  ]);
});

Deno.test("progressBar() limits how often it redraws and still shows the end", () => {
  const record = recorder(true, 120);
  train(5, 200, 1, record);
  assertLess(record.written.length, 20);
  assert(record.written.at(-2)!.includes("fold 5/5  epoch 200/200"));
});

Deno.test("progressBar() shows the last epoch when it is interrupted", () => {
  const record = recorder(true, 120);
  const bar = progressBar({ folds: 2, epochs: 9, output: record.output, now: record.now });
  bar.update({ fold: 1, epoch: 1, loss: 2 });
  bar.update({ fold: 1, epoch: 2, loss: NaN });
  bar.finish();
  bar.finish();
  bar.update({ fold: 1, epoch: 3, loss: 2 });
  assertEquals(record.written.length, 3);
  assert(record.written[1]!.includes("fold 1/2  epoch 2/9  loss –  "));
  assertEquals(record.written[2], "\n");
});

Deno.test("progressBar() writes nothing where nothing happened", () => {
  for (const isTerminal of [true, false]) {
    const record = recorder(isTerminal);
    progressBar({ folds: 2, epochs: 9, output: record.output, now: record.now }).finish();
    assertEquals(record.written, []);
  }
});

Deno.test("progressBar() fits everything into 80 columns", () => {
  const record = recorder(true);
  train(10, 100, 3000, record);
  const [first] = record.written;
  assert(
    first!.endsWith("fold  1/10  epoch   1/100  loss 1.000  accuracy 0.500  49 min 57 s left"),
  );
});

Deno.test("progressBar() never wraps a line of the terminal", () => {
  fc.assert(
    fc.property(fc.integer({ min: 10, max: 90 }), (columns) => {
      const record = recorder(true, columns);
      train(1, 2, 100, record);
      for (const text of record.written.slice(0, -1)) {
        assertLess(displayWidth(text.replace("\r\x1b[2K", "")), columns);
      }
    }),
    { seed: 1, numRuns: 50 },
  );
});

Deno.test("textTable() aligns names to the left and numbers to the right", () => {
  assertEquals(
    textTable(["type", "cells", "F1"], [["CD34+", "31", "0.5"], ["CD19+ B", "1,395", "–"]]),
    [
      "type     cells   F1",
      "───────  ─────  ───",
      "CD34+       31  0.5",
      "CD19+ B  1,395    –",
    ].join("\n"),
  );
});

Deno.test("textTable() aligns wide and combining letters", () => {
  const rows = [["内皮細胞", "1"], ["cafe\u0301", "22"], ["🧬 x", "3"]];
  assertEquals(
    textTable(["type", "n"], rows),
    [
      "type       n",
      "────────  ──",
      "内皮細胞   1",
      "cafe\u0301      22",
      "🧬 x       3",
    ].join("\n"),
  );
});

Deno.test("textTable() makes names harmless to a terminal", () => {
  assertEquals(
    textTable(["type"], [["a\x1b[31mb\nc"]]),
    ["type", "─────────", "a\uFFFD[31mb\uFFFDc"].join("\n"),
  );
});

Deno.test("textTable() shows a header without rows", () => {
  assertEquals(textTable(["type", "n"], []), "type  n\n────  ─");
});

Deno.test("displayWidth() counts the columns of a text", () => {
  const widths = {
    "": 0,
    "abc": 3,
    "é": 1,
    "e\u0301": 1,
    "細胞": 4,
    "ﾊ": 1,
    "Ａ": 2,
    "👩‍🔬": 2,
    "–": 1,
  };
  for (const [text, width] of Object.entries(widths)) assertEquals(displayWidth(text), width, text);
});

Deno.test("printable() leaves ordinary letters alone", () => {
  assertEquals(printable("CD8+/CD45RA+ Naïve 細胞 👩‍🔬"), "CD8+/CD45RA+ Naïve 細胞 👩‍🔬");
});

Deno.test("truncate() ends in an ellipsis only where it cuts", () => {
  assertEquals(truncate("abcde", 5), "abcde");
  assertEquals(truncate("abcdef", 5), "abcd…");
  assertEquals(truncate("細胞細胞", 6), "細胞…");
});

Deno.test("formatDuration() picks the units", () => {
  const texts = [0, 9.94, 9.96, 59.4, 59.6, 185, 3599.6, 7800, NaN].map(formatDuration);
  assertEquals(
    texts,
    ["0.0 s", "9.9 s", "10 s", "59 s", "1 min 00 s", "3 min 05 s", "1 h 00 min", "2 h 10 min", "–"],
  );
});

Deno.test("formatMetric() shows a dash for what is not a number", () => {
  assertEquals([0.12345, 1, NaN, Infinity, undefined].map(formatMetric), [
    "0.123",
    "1.000",
    "–",
    "–",
    "–",
  ]);
});

Deno.test("formatCount() separates thousands", () => {
  assertEquals([0, 999, 68579].map(formatCount), ["0", "999", "68,579"]);
});
