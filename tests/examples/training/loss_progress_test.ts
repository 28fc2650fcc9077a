import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { lossProgress } from "../../../examples/lib/training/mod.ts";

/** What a training of 8 epochs with 2 steps of 1 s each shows. */
function watch(isTerminal: boolean, columns = 200): string[] {
  const written: string[] = [];
  let time = 0;
  const output = { isTerminal, columns, write: (text: string) => void written.push(text) };
  const progress = lossProgress({ label: "full", output, now: () => time });
  for (let done = 1; done <= 16; done++) {
    time += 1000;
    progress.update({
      epoch: Math.floor((done - 1) / 2),
      epochs: 8,
      step: done % 2 === 0 ? 2 : 1,
      steps: 2,
      losses: { total: 12.3456, mse: 2, dab: 1.09861, gradientNorm: 5 },
    });
  }
  progress.finish();
  progress.finish();
  return written;
}

Deno.test("lossProgress() writes a line after each quarter of the epochs", () => {
  const lines = watch(false);
  assertEquals(lines.length, 4);
  assertStringIncludes(lines[0]!, "full  epoch 2/8  loss 12.3  (mse 2, dab 1.1)");
  assertStringIncludes(lines[0]!, "s left");
  assertEquals(lines[3], "full  epoch 8/8  loss 12.3  (mse 2, dab 1.1)\n");
});

Deno.test("lossProgress() redraws one line of a terminal, no longer than it is wide", () => {
  const pieces = watch(true, 40);
  assertEquals(pieces.at(-1), "\n");
  const lines = pieces.slice(0, -1);
  assertEquals(lines.length, 16);
  assert(lines.every((line) => line.startsWith("\r\x1b[2K") && line.length <= 5 + 39));
  assertStringIncludes(lines[0]!, "epoch 1/8  step 1/2");
});
