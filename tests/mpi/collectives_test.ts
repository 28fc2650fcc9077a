import { assertEquals } from "@std/assert";
import { singleProcess } from "../../src/mpi/mod.ts";
import { inTempDirectory } from "../data/write.ts";
import { SCENARIOS } from "./scenarios.ts";
import { sharedMemory } from "./simulated.ts";

/** What one rank reports, one scenario after the other. */
function reportsOf(worker: Worker): () => Promise<[string, string]> {
  const arrived: [string, string][] = [];
  let wake = () => {};
  const tell = (report: [string, string]) => {
    arrived.push(report);
    wake();
  };
  worker.onmessage = ({ data }) => tell(data);
  worker.onerror = (event) => {
    event.preventDefault();
    tell(["", event.message]);
  };
  return async () => {
    while (arrived.length === 0) await new Promise<void>((resolve) => wake = resolve);
    return arrived.shift()!;
  };
}

for (const size of [2, 3]) {
  Deno.test(`${size} simulated ranks`, (t) =>
    inTempDirectory(async (directory) => {
      const memory = sharedMemory(size);
      const workers = Array.from({ length: size }, () =>
        new Worker(new URL("./simulated_rank.ts", import.meta.url), { type: "module" }));
      const reports = workers.map(reportsOf);
      workers.forEach((worker, rank) =>
        worker.postMessage([memory, rank, size, directory])
      );
      for (const name of SCENARIOS.keys()) {
        const passed = await t.step(name, async () => {
          const found = await Promise.all(reports.map((next) => next()));
          assertEquals(found, workers.map(() => [name, ""]));
        });
        if (!passed) break;
      }
      workers.forEach((worker) => worker.terminate());
    }));
}

Deno.test("one process alone", (t) =>
  inTempDirectory(async (directory) => {
    for (const [name, scenario] of SCENARIOS) {
      await t.step(name, async () => await scenario(singleProcess(), directory));
    }
  }));
