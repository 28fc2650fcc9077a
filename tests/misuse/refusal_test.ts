/**
 * What is not understood is refused: every function of the core, every loss and metric is called as it should be but for one
 * option, or one argument more, and must throw a `TypeError` of its own.
 */
import { assert, assertEquals } from "@std/assert";
import * as cg from "../../mod.ts";
import { METHOD_CALLS, VALID_CALLS, type ValidCall } from "./valid_calls.ts";
import { inTempDirectory } from "../data/write.ts";
import { VALID_DATA, validReaders, writeFiles } from "./valid_data.ts";
import { VALID_LOSSES } from "./valid_losses.ts";
import { VALID_METRICS } from "./valid_metrics.ts";

/** What the call throws, or rejects with; `undefined` where it goes well. */
async function failure(call: () => unknown): Promise<unknown> {
  try {
    await call();
  } catch (error) {
    return error;
  }
}

/** What the messages call a function: what returned it, for those that are returned. */
const callerOf = (name: string) =>
  name === "splitKey" ? "splitKey (split of ./random)" : name.replace(/\(\)(\.\w+)?$/, "");

async function assertRefused(row: ValidCall, args: unknown[], about: string, what: string) {
  const error = await failure(() => row.f(...args));
  assert(error instanceof TypeError, `${row.name} with ${what}: ${error}`);
  const start = `Cannot compute ${callerOf(row.name)} as `;
  assert(error.message.startsWith(start), `${row.name} with ${what}: ${error.message}`);
  assert(error.message.includes(about), `${row.name} with ${what}: ${error.message}`);
}

/** A valid call's arguments with other options. */
function withOptions({ args, options }: ValidCall, change: (given: object) => unknown): unknown[] {
  const given = args();
  given[options!] = change(given[options!] as object);
  return given;
}

/** What tells of data in general, or calls what it is given or has returned. */
const DEFERRED = new Set(["tensor", "scan", "checkpoint()", "createLoss()"]);

const ALL = [...VALID_CALLS, ...METHOD_CALLS, ...VALID_LOSSES, ...VALID_METRICS];
const WITH_OPTIONS = ALL.filter(({ options }) => options !== undefined);

Deno.test("valid calls give every option that there is", async () => {
  // Some options of these exclude each other.
  for (const row of WITH_OPTIONS.filter(({ name }) => name !== "createLoss" && name !== "webgpu")) {
    const args = withOptions(row, (given) => ({ ...given, qqq: undefined }));
    const { message } = await failure(() => row.f(...args)) as Error;
    const [, known] = /the options are (.*)$/.exec(message)!;
    const given = Object.keys(row.args()[row.options!] as object);
    assertEquals(given.sort(), known!.split(", ").sort(), row.name);
  }
});

Deno.test("an option that does not exist is refused by name", async () => {
  for (const row of WITH_OPTIONS) {
    const args = withOptions(row, (given) => ({ ...given, qqq: undefined }));
    await assertRefused(row, args, "there is no option qqq: the options are ", "qqq");
  }
});

Deno.test("an option that is spelt in other ways is refused with the right spelling", async () => {
  for (const row of WITH_OPTIONS) {
    const names = Object.keys(row.args()[row.options!] as object);
    for (const name of names) {
      const snake = name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      for (const other of [snake, name.toUpperCase(), `${name}s`]) {
        if (names.includes(other)) continue;
        const args = withOptions(row, (given) => ({ ...given, [other]: 1 }));
        await assertRefused(row, args, `no option ${other}: did you mean ${name}? `, other);
      }
    }
  }
});

Deno.test("an option of another kind is refused by name", async () => {
  const bad = [NaN, null, Symbol("bad"), 1n, { a: 1 }, () => {}, "no such text"];
  for (const row of WITH_OPTIONS) {
    const valid = row.args()[row.options!] as Record<string, unknown>;
    for (const [name, good] of Object.entries(valid)) {
      // Functions and texts are what these options want; other texts and functions will do.
      const isFunction = typeof good === "function";
      const isFreeText = typeof good === "string" && row.name === "customVjp";
      const isSchedule = name === "learningRate";
      const isTree = name === "outAxes";
      for (const value of bad) {
        if (typeof value === "function" && (isFunction || isSchedule)) continue;
        if (typeof value === "string" && isFreeText) continue;
        if (typeof value === "object" && isTree) continue;
        const args = withOptions(row, (given) => ({ ...given, [name]: value }));
        await assertRefused(row, args, name, `${name}: ${String(value)}`);
      }
    }
  }
});

Deno.test("what is no plain object is refused as options", async () => {
  for (const row of WITH_OPTIONS) {
    for (const value of [1, 0, true, "float64", null, [1], cg.tensor(1), new Map(), () => {}]) {
      const args = withOptions(row, () => value);
      const about = row.name === "customVjp" ? "" : "options must be an object with any of ";
      await assertRefused(row, args, about, String(value));
    }
  }
});

Deno.test("undefined stands for the default of every option", async () => {
  for (const row of WITH_OPTIONS) {
    if (row.name === "webgpu") continue; // Needs an adapter.
    const names = Object.keys(row.args()[row.options!] as object);
    const empty = Object.fromEntries(names.map((name) => [name, undefined]));
    const outcomes = [];
    for (const options of [{}, empty]) {
      outcomes.push(String(await failure(() => row.f(...withOptions(row, () => options)))));
    }
    assertEquals(outcomes[0], outcomes[1], row.name);
  }
});

Deno.test("an argument too many is refused with its value", async () => {
  for (const row of ALL.filter(({ variadic }) => !variadic)) {
    for (const more of [[7], [undefined, 7]]) {
      const args = row.args();
      const given = [...args, ...more];
      await assertRefused(row, given, "nothing after ", `${more.length} more`);
      await assertRefused(row, given, `current value is ${more[0]}`, `${more.length} more`);
    }
  }
});

Deno.test("what is no argument at all is refused in the name of the function", async () => {
  const functions = [...VALID_CALLS, ...VALID_LOSSES, ...VALID_METRICS]
    .filter(({ name }) => !DEFERRED.has(name));
  for (const row of functions) {
    for (const i of row.args().keys()) {
      if (i === row.options) continue;
      for (const value of [undefined, null, "text", Symbol("bad"), 1n, { a: "b" }]) {
        const given = row.args();
        given[i] = value;
        const error = await failure(() => row.f(...given)) as Error | undefined;
        if (error === undefined) continue;
        const about = `${row.name} with ${String(value)} as argument ${i}: ${error}`;
        assert(error.message.startsWith(`Cannot compute ${callerOf(row.name)} as `), about);
      }
    }
  }
});

Deno.test("an argument too many is refused by all that handles data", () =>
  inTempDirectory(async (folder) => {
    await writeFiles(folder);
    for (const row of [...VALID_DATA, ...validReaders(folder)]) {
      for (const more of [[7], [undefined, 7]]) {
        const error = await failure(() => row.f(...row.args(), ...more));
        const told = error instanceof TypeError ? error.message : String(error);
        assert(
          /nothing (after|follows) /.test(told),
          `${row.name} with ${more.length} more: ${told}`,
        );
        if (more.length === 1) assert(told.endsWith("current value is 7"), told);
      }
    }
  }));

Deno.test("a function that is passed to map is refused with what to write", async () => {
  const error = await failure(() => [cg.ones([2])].map(cg.exp)) as TypeError;
  assertEquals(
    error.message,
    "Cannot compute exp as it takes nothing after x: current value is 0; " +
      "map passes positions too: write (x) => exp(x)",
  );
});
