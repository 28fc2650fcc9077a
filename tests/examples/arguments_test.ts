import { assertEquals, assertThrows } from "@std/assert";
import fc from "fast-check";
import { helpText, parseOptions, runProgram, UsageError } from "../../examples/lib/arguments.ts";

const SPECS = {
  data: { kind: "string", placeholder: "FILE", help: "Cells to read" },
  loss: {
    kind: "choice",
    choices: ["ce", "weighted_ce", "focal"],
    default: "ce",
    help: "The loss",
  },
  epochs: { kind: "integer", default: 40, min: 1, max: 10_000, help: "Passes over the cells" },
  learningRate: { kind: "number", default: 0.001, above: 0, help: "Step of Adam" },
  shift: { kind: "number", default: 0, help: "Any number" },
  quiet: { kind: "boolean", help: "Print nothing" },
} as const;

const FLAGS = "--data, --loss, --epochs, --learning-rate, --shift, --quiet, --help";

/** The message of the usage error that the arguments cause. */
function messageOf(...args: string[]): string {
  return assertThrows(() => parseOptions(SPECS, args), UsageError).message;
}

Deno.test("parseOptions() gives defaults where nothing is said", () => {
  assertEquals(parseOptions(SPECS, []), {
    data: undefined,
    loss: "ce",
    epochs: 40,
    learningRate: 0.001,
    shift: 0,
    quiet: false,
  });
});

Deno.test("parseOptions() types values by their kind", () => {
  const values = parseOptions(SPECS, ["--data", "a b.h5ad", "--loss", "focal", "--quiet"]);
  const data: string | undefined = values.data;
  const loss: "ce" | "weighted_ce" | "focal" = values.loss;
  const epochs: number = values.epochs;
  const quiet: boolean = values.quiet;
  assertEquals([data, loss, epochs, quiet], ["a b.h5ad", "focal", 40, true]);
});

Deno.test("parseOptions() reads --name value and --name=value alike", () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (value) => {
      const apart = parseOptions(SPECS, ["--shift", String(value), "--epochs", "3"]);
      const joined = parseOptions(SPECS, [`--shift=${value}`, "--epochs=3"]);
      assertEquals(apart, joined);
      assertEquals(apart.shift, Number(String(value)));
      assertEquals(apart.epochs, 3);
    }),
    { seed: 1, numRuns: 200 },
  );
});

Deno.test("parseOptions() keeps what follows the first equals sign", () => {
  assertEquals(parseOptions(SPECS, ["--data=a=b,-c --d"]).data, "a=b,-c --d");
  assertEquals(parseOptions(SPECS, ["--data", "a=b"]).data, "a=b");
});

Deno.test("parseOptions() takes the last of repeated options", () => {
  assertEquals(parseOptions(SPECS, ["--epochs", "3", "--epochs=4"]).epochs, 4);
});

Deno.test("parseOptions() ignores a -- before the first option", () => {
  assertEquals(parseOptions(SPECS, ["--", "--epochs", "3"]).epochs, 3);
});

Deno.test("parseOptions() suggests the option that an unknown one resembles", () => {
  assertEquals(
    messageOf("--epoch", "3"),
    `Unknown option --epoch: did you mean --epochs? Valid options are ${FLAGS}`,
  );
  assertEquals(
    messageOf("--learning_rate=3"),
    `Unknown option --learning_rate: did you mean --learning-rate? Valid options are ${FLAGS}`,
  );
  assertEquals(
    messageOf("-epochs", "3"),
    `Unknown option -epochs: did you mean --epochs? Valid options are ${FLAGS}`,
  );
});

Deno.test("parseOptions() lists the options where none resembles the unknown one", () => {
  assertEquals(
    messageOf("--momentum", "3"),
    `Unknown option --momentum: valid options are ${FLAGS}`,
  );
});

Deno.test("parseOptions() knows no negated options", () => {
  assertEquals(
    messageOf("--no-epochs=3"),
    `Unknown option --no-epochs: valid options are ${FLAGS}`,
  );
});

Deno.test("parseOptions() rejects arguments that belong to no option", () => {
  assertEquals(
    messageOf("cells.h5ad"),
    `Unexpected argument "cells.h5ad": valid options are ${FLAGS}`,
  );
  assertEquals(messageOf("--quiet", "7"), `Unexpected argument "7": valid options are ${FLAGS}`);
  assertEquals(
    messageOf("--quiet", "--", "--epochs"),
    `Unexpected argument "--epochs": valid options are ${FLAGS}`,
  );
});

Deno.test("parseOptions() rejects options without their value", () => {
  const end = "write --epochs=VALUE";
  assertEquals(messageOf("--epochs"), `Option --epochs needs a value but there is none: ${end}`);
  assertEquals(messageOf("--epochs="), `Option --epochs needs a value but there is none: ${end}`);
  assertEquals(
    messageOf("--epochs", ""),
    `Option --epochs needs a value but there is none: ${end}`,
  );
  assertEquals(
    messageOf("--epochs", "--quiet"),
    `Option --epochs needs a value but --quiet follows: ${end}`,
  );
});

Deno.test("parseOptions() rejects numbers out of range or not numbers", () => {
  const whole = "Option --epochs must be a whole number >= 1 and <= 10000: current value is";
  for (const text of ["0", "10001", "-3", "2.5", "abc", "NaN", "Infinity", " ", "1,000"]) {
    assertEquals(messageOf("--epochs", text), `${whole} "${text}"`);
  }
  assertEquals(
    messageOf("--learning-rate=0"),
    'Option --learning-rate must be a number above 0: current value is "0"',
  );
  assertEquals(messageOf("--shift", "x"), 'Option --shift must be a number: current value is "x"');
});

Deno.test("parseOptions() accepts the ends of a range", () => {
  assertEquals(parseOptions(SPECS, ["--epochs=1"]).epochs, 1);
  assertEquals(parseOptions(SPECS, ["--epochs=1e4"]).epochs, 10_000);
});

Deno.test("parseOptions() lists the values of a choice", () => {
  assertEquals(
    messageOf("--loss", "dice"),
    'Option --loss must be one of ce, weighted_ce, focal: current value is "dice"',
  );
});

Deno.test("parseOptions() rejects a value for an option that takes none", () => {
  assertEquals(
    messageOf("--quiet=maybe"),
    'Option --quiet takes no value: current value is "maybe"',
  );
  assertEquals(parseOptions(SPECS, ["--quiet=false"]).quiet, false);
});

Deno.test("parseOptions() throws nothing but usage errors of one line", () => {
  const word = fc.oneof(
    fc.constantFrom("--data", "--loss", "--epochs", "--quiet", "--", "-", "-5", "--a.b=1", "--=1"),
    fc.constantFrom("--__proto__=1", "--constructor", "---", "-e=3", "focal", "3"),
    fc.string({ unit: "binary" }),
  );
  fc.assert(
    fc.property(fc.array(word), (args) => {
      try {
        parseOptions(SPECS, args);
      } catch (error) {
        assertEquals((error as Error).name, "UsageError");
        assertEquals((error as Error).message.split("\n").length, 1);
      }
    }),
    { seed: 1, numRuns: 1000 },
  );
});

Deno.test("UsageError keeps its message on one line", () => {
  assertEquals(
    messageOf("--loss=a\nb\x1b[2J"),
    'Option --loss must be one of ce, weighted_ce, focal: current value is "a�b�[2J"',
  );
});

const PROGRAM = { command: "deno task demo", summary: "Annotates cells.", options: SPECS };

Deno.test("helpText() shows each option with its values, range and default", () => {
  assertEquals(
    helpText(PROGRAM),
    `Usage: deno task demo [options]

Annotates cells.

Options:
  --data FILE                  Cells to read
  --loss ce|weighted_ce|focal  The loss (default ce)
  --epochs N                   Passes over the cells (a whole number >= 1 and <= 10000; default 40)
  --learning-rate N            Step of Adam (a number above 0; default 0.001)
  --shift N                    Any number (a number; default 0)
  --quiet                      Print nothing
  --help                       Show this text`,
  );
});

/** What `run` writes to the console. */
async function consoleOf(run: () => Promise<number>) {
  const { log, error } = console;
  const written: [string, string][] = [];
  console.log = (text) => void written.push(["log", text]);
  console.error = (text) => void written.push(["error", text]);
  try {
    return { status: await run(), written };
  } finally {
    Object.assign(console, { log, error });
  }
}

Deno.test("runProgram() hands the values to the program and returns its status", async () => {
  const seen: unknown[] = [];
  const run = () =>
    runProgram(PROGRAM, ["--epochs", "3"], ({ epochs }) => {
      seen.push(epochs);
      return 130;
    });
  assertEquals(await consoleOf(run), { status: 130, written: [] });
  assertEquals(seen, [3]);
  assertEquals(await runProgram(PROGRAM, [], () => {}), 0);
});

Deno.test("runProgram() prints the help and runs nothing", async () => {
  const run = () =>
    runProgram(PROGRAM, ["--bogus", "--help"], () => {
      throw new Error("unreachable");
    });
  const help: [string, string] = ["log", helpText(PROGRAM)];
  assertEquals(await consoleOf(run), { status: 0, written: [help] });
});

Deno.test("runProgram() turns usage errors into one line and status 2", async () => {
  const outcome = await consoleOf(() => runProgram(PROGRAM, ["--loss=x"], () => {}));
  const line = 'error: Option --loss must be one of ce, weighted_ce, focal: current value is "x"';
  assertEquals(outcome, { status: 2, written: [["error", line]] });
  const later = await consoleOf(() =>
    runProgram(PROGRAM, [], () => {
      throw new UsageError("Cannot read cells");
    })
  );
  assertEquals(later, { status: 2, written: [["error", "error: Cannot read cells"]] });
});

Deno.test("runProgram() lets other errors through", async () => {
  const failing = runProgram(PROGRAM, [], () => Promise.reject(new RangeError("a bug")));
  assertEquals(await failing.catch((error) => error.message), "a bug");
});
