import { assertAlmostEquals, assertEquals, assertGreater, assertRejects } from "@std/assert";
import { full } from "../../mod.ts";
import { largestDifference, median, timeInTurns } from "../../bench/peers/measure.ts";
import { measurePeak } from "../../bench/peers/peak.ts";
import { jsonLine, pairTable, ratioOf } from "../../bench/peers/report.ts";
import { runWorkload } from "../../bench/peers/run.ts";
import { loadPeers, makeSide, type Side, type Task } from "../../bench/peers/side.ts";
import { chooseWorkloads, type Workload, WORKLOADS } from "../../bench/peers/workloads.ts";
import { LineProcess } from "../../bench/peers/line_process.ts";

const EFFORT = { rounds: 3, sampleMs: 10, budgetMs: 1e6 };

/** A task whose calls take as long as the list says, and that logs its samples. */
function clock(name: string, ms: number, log: string[] = []): Task {
  return {
    outputs: () => Promise.resolve([]),
    time: (calls) => {
      log.push(`${name} ${calls}`);
      return Promise.resolve(calls * ms);
    },
  };
}

/** A side that doubles its input, with an error if wanted. */
function doubling(name: string, error = 0): Side {
  return makeSide(name, "1", {
    "double": ({ x }) => () => [x!.data.map((value) => 2 * value + error)],
    "break": () => () => {
      throw new RangeError("no memory");
    },
  });
}

function workload(changes: Partial<Workload> = {}): Workload {
  return {
    name: "double 3",
    form: "double",
    inputs: () => ({ x: { shape: [3], data: Float32Array.of(1, 2, 4) } }),
    rivals: [{ peer: "peer", target: 1.5 }, { peer: "other", target: null }],
    ...changes,
  };
}

Deno.test("median() is the middle value, or the mean of the middle two", () => {
  assertEquals(median([3, 1, 2]), 2);
  assertEquals(median([4, 1, 2, 3]), 2.5);
  assertEquals(median([7]), 7);
});

Deno.test("largestDifference() is relative to the largest value", () => {
  assertEquals(largestDifference(Float32Array.of(1, 8), Float32Array.of(2, -8)), 2);
  assertEquals(largestDifference(Float32Array.of(0, 0), Float32Array.of(0, 0)), 0);
});

Deno.test("largestDifference() is infinite for NaN and for other lengths", () => {
  assertEquals(largestDifference(Float32Array.of(NaN), Float32Array.of(1)), Infinity);
  assertEquals(largestDifference(Float32Array.of(1), Float32Array.of(NaN)), Infinity);
  assertEquals(largestDifference(Float32Array.of(1, 1), Float32Array.of(1)), Infinity);
  assertEquals(largestDifference(Float32Array.of(1), Float32Array.of(0)), Infinity);
});

Deno.test("timeInTurns() gives the milliseconds per call of each task", async () => {
  assertEquals(await timeInTurns([clock("a", 0.5), clock("b", 20)], EFFORT), [0.5, 20]);
});

Deno.test("timeInTurns() fills its samples with calls and takes them in turns", async () => {
  const log: string[] = [];
  await timeInTurns([clock("a", 1, log), clock("b", 40, log)], { ...EFFORT, rounds: 2 });
  assertEquals(log.slice(-4), ["a 10", "b 1", "b 1", "a 10"]);
});

Deno.test("timeInTurns() stops sampling a task that has used up its budget", async () => {
  const log: string[] = [];
  await timeInTurns([clock("a", 10, log), clock("b", 40, log)], { ...EFFORT, budgetMs: 40 });
  assertEquals(log.slice(2), ["a 1", "b 1", "a 1", "a 1"]);
});

Deno.test("makeSide() prepares tasks that can be called and timed", async () => {
  let calls = 0;
  const side = makeSide("counting", "1", { "count": () => () => [Float32Array.of(++calls)] });
  const task = (await side.prepare("count", {}))!;
  assertEquals(await task.outputs(), [Float32Array.of(1)]);
  await task.time(5);
  assertEquals(calls, 6);
  assertEquals(await side.prepare("else", {}), undefined);
  await side.close();
});

Deno.test("loadPeers() skips peers that cannot be loaded and says so", async () => {
  const lines: string[] = [];
  const peers = await loadPeers({
    "here": () => Promise.resolve(doubling("here")),
    "gone": () => Promise.reject(new Error("No module named torch")),
  }, (line) => lines.push(line));
  assertEquals(peers.map(({ name }) => name), ["here"]);
  assertEquals(lines, ["skipped: gone: No module named torch"]);
});

Deno.test("runWorkload() measures every peer that is there", async () => {
  const peers = [doubling("peer"), doubling("other")];
  const { pairs, errors } = await runWorkload(workload(), doubling("ours"), peers, EFFORT, 1);
  assertEquals(errors, []);
  assertEquals(pairs.map(({ name, peer, target }) => [name, peer, target]), [
    ["double 3", "peer", 1.5],
    ["double 3", "other", null],
  ]);
  assertEquals(pairs.every(({ oursMs, peerMs }) => oursMs > 0 && peerMs > 0), true);
});

Deno.test("runWorkload() leaves out peers that are missing", async () => {
  const peers = [doubling("other")];
  const { pairs, errors } = await runWorkload(workload(), doubling("ours"), peers, EFFORT, 1);
  assertEquals([pairs.map(({ peer }) => peer), errors], [["other"], []]);
});

Deno.test("runWorkload() does not time a peer whose outputs differ", async () => {
  const peers = [doubling("peer", 0.01), doubling("other", 1e-5)];
  const { pairs, errors } = await runWorkload(workload(), doubling("ours"), peers, EFFORT, 1);
  assertEquals(pairs.map(({ peer }) => peer), ["other"]);
  assertEquals(errors, ["double 3: peer: differs by 1.3e-3, more than 0.0001"]);
});

Deno.test("runWorkload() compares as many calls as a workload has steps", async () => {
  const counting = (name: string, limit: number) => {
    let calls = 0;
    return makeSide(name, "1", {
      "double": () => () => [Float32Array.of(Math.min(++calls, limit))],
    });
  };
  const wanted = workload({ steps: 3, rivals: [{ peer: "peer", target: 1 }] });
  const { errors } = await runWorkload(
    wanted,
    counting("ours", 9),
    [counting("peer", 2)],
    EFFORT,
    1,
  );
  assertEquals(errors, ["double 3: peer: differs by 3.3e-1, more than 0.0001"]);
});

Deno.test("runWorkload() compares summaries of outputs that are random", async () => {
  const summary = ([first]: Float32Array) => Float32Array.of(Math.round(first!));
  const wanted = workload({ summary });
  const peers = [doubling("peer", 0.4), doubling("other", 0.6)];
  const { errors } = await runWorkload(wanted, doubling("ours"), peers, EFFORT, 1);
  assertEquals(errors, ["double 3: other: differs by 5.0e-1, more than 0.0001"]);
});

Deno.test("runWorkload() takes the variant of a peer and names it", async () => {
  const peer = makeSide("peer", "1", {
    "double, slow": ({ x }) => () => [x!.data.map((v) => v + v)],
  });
  const wanted = workload({ rivals: [{ peer: "peer", target: 1, variant: "slow" }] });
  const { pairs } = await runWorkload(wanted, doubling("ours"), [peer], EFFORT, 1);
  assertEquals(pairs.map((pair) => pair.peer), ["peer (slow)"]);
});

Deno.test("runWorkload() reports what fails and goes on", async () => {
  const peers = [makeSide("peer", "1", {}), doubling("other")];
  const { pairs, errors } = await runWorkload(workload(), doubling("ours"), peers, EFFORT, 1);
  assertEquals(pairs.map(({ peer }) => peer), ["other"]);
  assertEquals(errors, ['double 3: peer: there is no "double"']);
});

Deno.test("runWorkload() measures nothing where our side fails", async () => {
  const wanted = workload({ form: "break" });
  const outcome = await runWorkload(wanted, doubling("ours"), [doubling("peer")], EFFORT, 1);
  assertEquals(outcome, { pairs: [], errors: ["double 3: ours: no memory"] });
});

Deno.test("runWorkload() tells the ratio that products alone would leave at most", async () => {
  const wanted = workload({ products: 300 });
  const { pairs } = await runWorkload(wanted, doubling("ours"), [doubling("peer")], EFFORT, 100);
  assertAlmostEquals(pairs[0]!.most!, pairs[0]!.peerMs / 3, 1e-12);
});

Deno.test("measurePeak() is more than a product reaches", () => {
  const [n, peak] = [64, measurePeak()];
  const x = full([n, n], 1);
  const times = Array.from({ length: 50 }, () => {
    const start = performance.now();
    x.matmul(x);
    return performance.now() - start;
  });
  assertGreater(peak, 2 * n ** 3 / Math.min(...times));
});

const MEASURED = { name: "double 3", peer: "peer", oursMs: 0.123456, peerMs: 0.5, target: 1.5 };
const PAIR = { ...MEASURED, most: null };

Deno.test("ratioOf() is the peer's time over ours", () => {
  assertEquals(ratioOf({ ...PAIR, oursMs: 2, peerMs: 5 }), 2.5);
});

Deno.test("jsonLine() has the fields that scripts read", () => {
  assertEquals(
    jsonLine(PAIR),
    '{"name":"double 3","peer":"peer","ours_ms":0.1235,"peer_ms":0.5,"ratio":4.05,"target":1.5,' +
      '"most":null}',
  );
  assertEquals(JSON.parse(jsonLine({ ...PAIR, target: null })).target, null);
});

Deno.test("pairTable() says which targets are met", () => {
  const pairs = [
    { ...PAIR, oursMs: 2, peerMs: 5, most: 7.126 },
    { ...PAIR, oursMs: 2, peerMs: 2, peer: "other" },
    { ...PAIR, oursMs: 1234.5, peerMs: 2, name: "halve 3", target: null },
  ];
  const lines = pairTable(pairs).split("\n").map((line) => line.replaceAll(/ {2,}/g, "|"));
  assertEquals(lines.slice(2), [
    "double 3|peer|2|5|2.5|7.13|1.5|met",
    "|other|2|2|1|–|1.5|missed",
    "halve 3|peer|1235|2|0.00162|–|–",
  ]);
});

Deno.test("WORKLOADS have names of their own and peers that exist", () => {
  const names = WORKLOADS.map(({ name }) => name);
  assertEquals(new Set(names).size, names.length);
  const peers = new Set(WORKLOADS.flatMap(({ rivals }) => rivals.map(({ peer }) => peer)));
  assertEquals([...peers].sort(), ["compiled", "jax-js", "pytorch", "tensorflow.js"]);
});

Deno.test("WORKLOADS make the same inputs every time, as large as their shapes", () => {
  const { inputs } = WORKLOADS.find(({ form }) => form === "batch mixing topk")!;
  assertEquals(inputs(), inputs());
  for (const { shape, data } of Object.values(inputs())) {
    assertEquals(data.length, shape.reduce((a, b) => a * b, 1));
  }
});

Deno.test("chooseWorkloads() takes a name, or all names with a text", () => {
  const all = ["entropy 64x20", "mse 64x2000"].map((name) => workload({ name }));
  const names = (text?: string) => chooseWorkloads(all, text).map(({ name }) => name);
  assertEquals(names(), ["entropy 64x20", "mse 64x2000"]);
  assertEquals(names("64x2000"), ["mse 64x2000"]);
  assertEquals(names("64X20"), ["entropy 64x20", "mse 64x2000"]);
  assertEquals(names("entropy 64x20"), ["entropy 64x20"]);
  assertEquals(names("else"), []);
});

const ECHO = `
  const decoder = new TextDecoder();
  for await (const bytes of Deno.stdin.readable) {
    const text = decoder.decode(bytes);
    if (text.startsWith("end")) Deno.exit(0);
    await Deno.stdout.write(bytes.subarray(0, 2));
    await Deno.stdout.write(bytes.subarray(2));
  }`;

Deno.test("LineProcess asks line by line", async () => {
  const process = new LineProcess(Deno.execPath(), ["eval", ECHO]);
  assertEquals(await process.ask("first"), "first");
  assertEquals(await process.ask("second, longer"), "second, longer");
  await process.close();
});

Deno.test("LineProcess says when the process has ended", async () => {
  const process = new LineProcess(Deno.execPath(), ["eval", ECHO]);
  await assertRejects(
    () => process.ask("end"),
    Error,
    `${Deno.execPath()} ended without an answer`,
  );
  await process.close();
});
