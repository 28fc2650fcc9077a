import {
  assert,
  assertAlmostEquals,
  assertEquals,
  assertLess,
  assertRejects,
  assertStringIncludes,
} from "@std/assert";
import { type Tensor, tensor } from "@cellgrad/cellgrad";
import { sgd } from "@cellgrad/cellgrad/optim";
import { key } from "@cellgrad/cellgrad/random";
import { UsageError } from "../../../examples/lib/arguments.ts";
import { DivergedError, train } from "../../../examples/lib/training/mod.ts";
import { inFolder, type Line, lineTraining, type Points } from "./toy.ts";

Deno.test("train() minimises the loss and records every epoch", async () => {
  const { parameters, history, epoch, interrupted } = await train(lineTraining());
  assertAlmostEquals(parameters.slope.item(), 3, 0.05);
  assertAlmostEquals(parameters.offset.item(), 1, 0.05);
  assertEquals([history.length, epoch, interrupted], [40, 40, false]);
  assertEquals(Object.keys(history[0]!.losses), ["total", "squared", "gradientNorm"]);
  assertLess(history[39]!.losses.total!, history[0]!.losses.total! / 100);
});

Deno.test("train() gives the same bits for the same key, and others for another", async () => {
  const slopes = [];
  for (const seed of [3, 3, 4]) {
    const { parameters } = await train({ ...lineTraining(), epochs: 3, key: key(seed) });
    slopes.push(parameters.slope.item());
  }
  assertEquals(slopes[0], slopes[1]);
  assert(slopes[0] !== slopes[2]);
});

Deno.test("train() computes the same eagerly as compiled", async () => {
  const options = { ...lineTraining(), epochs: 2, clip: 0.5 };
  const [compiled, eager] = [await train(options), await train({ ...options, compiled: false })];
  assertAlmostEquals(compiled.parameters.slope.item(), eager.parameters.slope.item(), 1e-6);
});

Deno.test("train() keeps what a loss gives anew beside its value, compiled and eagerly", async () => {
  const options = lineTraining();
  for (const compiled of [true, false]) {
    const { parameters } = await train<Line & { seen: { steps: Tensor } }, Points>({
      ...options,
      parameters: { ...options.parameters, seen: { steps: tensor(0) } },
      loss(line, batch) {
        const kept = { seen: { steps: line.seen.steps.add(1) }, nothing: undefined };
        return { ...options.loss(line, batch), kept };
      },
      epochs: 3,
      compiled,
    });
    assertEquals(parameters.seen.steps.item(), 12);
    assert(parameters.slope.item() > 0.3);
    assertEquals(Object.keys(parameters).sort(), ["offset", "seen", "slope"]);
  }
});

Deno.test("train() makes batches anew for every epoch, and prepares each with its own key", async () => {
  const [orders, keys]: [string[], string[]] = [[], []];
  const options = lineTraining();
  await train({
    ...options,
    epochs: 3,
    batches(key, epoch) {
      const batches = options.batches(key, epoch);
      orders.push(String(batches[0]));
      return batches;
    },
    prepare(items, key) {
      keys.push(String(key.data));
      return options.prepare(items, key);
    },
  });
  assertEquals(new Set(orders).size, 3);
  assertEquals(new Set(keys).size, 12);
});

Deno.test("train() limits the gradient's norm but reports it as it was", async () => {
  const options = { ...lineTraining(), optimizer: sgd({ learningRate: 1 }), epochs: 1 };
  const { parameters, history } = await train({
    ...options,
    batches: (key, epoch) => options.batches(key, epoch).slice(0, 1),
    clip: 0.25,
  });
  const moved = Math.hypot(parameters.slope.item(), parameters.offset.item());
  assertAlmostEquals(moved, 0.25, 1e-5);
  assert(history[0]!.losses.gradientNorm! > 1);
});

Deno.test("train() names the operation that made a NaN, and what to try", async () => {
  const options = lineTraining();
  const error = await assertRejects(
    () =>
      train({
        ...options,
        loss(parameters, batch) {
          const { total } = options.loss(parameters, batch);
          return { total: total.sub(1e3).log(), parts: {} };
        },
      }),
    DivergedError,
  );
  assertStringIncludes(
    error.message,
    "Training stopped in epoch 1, step 1, as the loss became NaN. Cannot continue valueAndGrad " +
      "as log produced NaN",
  );
  assertStringIncludes(error.message, "smaller learning rate");
  assertStringIncludes(error.message, "larger smoothing");
});

Deno.test("train() stops where only the gradient is not finite", async () => {
  const error = await assertRejects(
    () =>
      train({
        ...lineTraining(),
        loss: ({ slope, offset }) => ({ total: slope.sqrt().add(offset), parts: {} }),
      }),
    DivergedError,
  );
  assertStringIncludes(error.message, "the gradient became infinite or NaN");
  assertStringIncludes(error.message, "a value grew beyond the largest number");
});

Deno.test("train() stops early, with the best parameters", async () => {
  const values = [5, 3, 4, 3.5, 1];
  const slopes: number[] = [];
  const { parameters, epoch, history } = await train({
    ...lineTraining(),
    evaluate({ slope }, epoch) {
      slopes.push(slope.item());
      return { error: values[epoch - 1]! };
    },
    earlyStopping: { watch: "error", patience: 2 },
  });
  assertEquals([epoch, history.length], [2, 4]);
  assertEquals(parameters.slope.item(), slopes[1]);
});

Deno.test("train() watches for the largest value where more is better", async () => {
  const { epoch } = await train({
    ...lineTraining(),
    evaluate: (_, epoch) => ({ accuracy: [0.1, 0.6, 0.61, 0.5][epoch - 1]! }),
    earlyStopping: { watch: "accuracy", mode: "max", patience: 1, minDelta: 0.05 },
  });
  assertEquals(epoch, 2);
});

Deno.test("train() says what can be watched for early stopping", async () => {
  const options = { ...lineTraining(), earlyStopping: { watch: "f1", patience: 1 } };
  await assertRejects(
    () => train(options),
    TypeError,
    'Cannot watch "f1" for early stopping as it is not measured: there are total, squared, ' +
      "gradientNorm",
  );
});

Deno.test("train() stops on a signal, and goes on from there to the same numbers", () =>
  inFolder(async (folder) => {
    const controller = new AbortController();
    const file = `${folder}/checkpoints/line.safetensors`;
    const options = { ...lineTraining(), checkpoint: { file, resume: true } };
    const stopped = await train({
      ...options,
      signal: controller.signal,
      evaluate(_, epoch) {
        if (epoch === 2) controller.abort();
        return {};
      },
    });
    assertEquals([stopped.interrupted, stopped.epoch], [true, 2]);
    let prepared = 0;
    const prepare: typeof options.prepare = (items, key) => {
      prepared++;
      return options.prepare(items, key);
    };
    const [resumed, calm] = [await train({ ...options, prepare }), await train(lineTraining())];
    assertEquals(prepared, 1 + 38 * 4); // Once to compile, then what was left.
    assertEquals(resumed.parameters.slope.item(), calm.parameters.slope.item());
    assertEquals(resumed.history, calm.history);
  }));

Deno.test("train() returns at once from the checkpoint of a finished training", () =>
  inFolder(async (folder) => {
    const checkpoint = { file: `${folder}/line.safetensors`, resume: true };
    const first = await train({ ...lineTraining(), checkpoint });
    const second = await train({
      ...lineTraining(),
      checkpoint,
      prepare: () => {
        throw new Error("Nothing is left to do");
      },
    });
    assertEquals(second.parameters.slope.item(), first.parameters.slope.item());
  }));

Deno.test("train() starts anew without resume", () =>
  inFolder(async (folder) => {
    const file = `${folder}/line.safetensors`;
    await train({ ...lineTraining(), checkpoint: { file } });
    let steps = 0;
    const options = lineTraining();
    await train({
      ...options,
      checkpoint: { file },
      epochs: 2,
      prepare(items, key) {
        steps++;
        return options.prepare(items, key);
      },
    });
    assertEquals(steps, 9); // One more to compile.
  }));

Deno.test("train() refuses the checkpoint of other settings, seeds and shapes", () =>
  inFolder(async (folder) => {
    const file = `${folder}/line.safetensors`;
    const checkpoint = (rate: number) => ({ file, resume: true, settings: { rate } });
    const options = { ...lineTraining(), checkpoint: checkpoint(1) };
    await train(options);
    const remedy = ": remove it, or run without --resume";
    const mistakes = [
      [{ checkpoint: checkpoint(2) }, "its rate is 1, and that of this run 2"],
      [{ epochs: 41 }, "its epochs is 40, and that of this run 41"],
      [{ key: key(4) }, "it was made with another seed"],
      [
        { parameters: { slope: tensor([0]), offset: tensor(0) } },
        "its parameters have other names or shapes",
      ],
    ] as const;
    for (const [change, reason] of mistakes) {
      await assertRejects(
        () => train({ ...options, ...change }),
        UsageError,
        `Cannot resume from "${file}" as ${reason}${remedy}`,
      );
    }
  }));

Deno.test("train() refuses a damaged checkpoint", () =>
  inFolder(async (folder) => {
    const checkpoint = { file: `${folder}/line.safetensors`, resume: true };
    await train({ ...lineTraining(), checkpoint, epochs: 1 });
    await Deno.truncate(checkpoint.file, 100);
    await assertRejects(
      () => train({ ...lineTraining(), checkpoint, epochs: 1 }),
      UsageError,
      "run without --resume",
    );
  }));
