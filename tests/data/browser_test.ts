/** Files of cells in a worker of a real browser. */
import { assert, assertAlmostEquals, assertEquals, assertLess } from "@std/assert";
import { findChromium } from "../examples/browser/chromium.ts";

interface Answer {
  format: string;
  path: string;
  shape: number[];
  names: string[];
  sum: number;
  longest: number;
}

Deno.test({
  name: "openCells() reads a file that was dropped on a page, and one on its server, in a worker",
  ignore: await findChromium() === undefined,
  async fn() {
    const drive = new URL("browser_drive.ts", import.meta.url);
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "--no-prompt", "--no-check", "--allow-net=127.0.0.1,localhost"]
        .concat("--allow-read", "--allow-write", "--allow-run", "--allow-env", drive.href),
    }).output();
    const text = new TextDecoder().decode(stdout);
    assert(text.startsWith("{"), new TextDecoder().decode(stderr));
    const { dropped, served, moved, size, rows, expected } = JSON.parse(text) as
      & Record<"dropped" | "served", Answer>
      & Record<"moved" | "size" | "rows" | "expected", number>;
    for (const answer of [dropped, served]) {
      assertEquals([answer.format, answer.shape], ["AnnData in HDF5", [rows, 1000]]);
      assertEquals(answer.names, ["0", "1"]);
      assertAlmostEquals(answer.sum / expected, 1, 1e-6);
      // A page that read by itself would stand still for as long as that takes.
      assertLess(answer.longest, 1000);
    }
    assertEquals(dropped.path, "cells.h5ad");
    assertLess(moved, size / 10);
  },
});
