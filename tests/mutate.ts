/**
 * Would the tests notice? Spoils every gradient rule and every loss formula in turn (drops a factor,
 * a sign or a term) and runs the tests that should fail.
 *
 * `deno task mutate` goes through all of them; `deno task mutate focal` through the files whose path
 * contains "focal". A mutant that no test notices is printed and makes the status 1, unless
 * `EQUIVALENT` says why it computes the same.
 *
 * @module
 */
import { parse } from "@babel/parser";

/** A part of a syntax tree: what is needed of it here. */
interface Node {
  type: string;
  start: number;
  end: number;
  [key: string]: unknown;
}

/** A change of a source file. */
interface Mutant {
  file: string;
  line: number;
  start: number;
  end: number;
  /** What stands there, and what is put in its place. */
  before: string;
  after: string;
}

/** Mutants that compute the same, by file and the text that is replaced, with the reason. */
const EQUIVALENT: readonly { file: string; before: string; after?: string; why: string }[] = [];

const ROOT = new URL("../", import.meta.url).pathname;
const COPIED = ["deno.json", "deno.lock", "mod.ts", "src", "kernels", "tests"];
const WORKERS = Math.max(1, navigator.hardwareConcurrency);
const LIMIT_MS = 120_000;

/** What a call is spoiled to: by which of its operands it is replaced, or by which other call. */
const OPERANDS: Record<string, readonly number[]> = {
  add: [0, 1],
  mul: [0, 1],
  div: [0],
  neg: [0],
  square: [0],
  where: [1, 2],
  sum: [0],
  exp: [0],
  log: [0],
  sqrt: [0],
  expm1: [0],
  log1p: [0],
  sigmoid: [0],
  softplus: [0],
  maximum: [0, 1],
  minimum: [0, 1],
  clip: [0],
  relu: [0],
  abs: [0],
};
const SWAPPED: Record<string, string> = { sub: "add", less: "lessEqual" };

function* mutantsOf(file: string, source: string): Generator<Mutant> {
  const tree = parse(source, { sourceType: "module", plugins: ["typescript"] });
  const text = (node: Node) => source.slice(node.start, node.end);
  const make = (node: Node, after: string): Mutant => ({
    file,
    line: source.slice(0, node.start).split("\n").length,
    start: node.start,
    end: node.end,
    before: text(node),
    after,
  });
  const visit = function* (node: Node): Generator<Mutant> {
    if (node.type === "CallExpression") yield* spoil(node);
    for (const [key, value] of Object.entries(node)) {
      if (key === "loc" || key.endsWith("Comments")) continue;
      for (const child of Array.isArray(value) ? value : [value]) {
        if (child && typeof child === "object" && "type" in child) yield* visit(child as Node);
      }
    }
  };
  const spoil = function* (node: Node): Generator<Mutant> {
    const callee = node.callee as Node;
    const given = node.arguments as Node[];
    const member = callee.type === "MemberExpression";
    const name = String(((member ? callee.property : callee) as Node).name);
    const operands = member ? [callee.object as Node, ...given] : given;
    for (const k of OPERANDS[name] ?? []) {
      if (operands[k] === undefined) continue;
      yield make(node, asOperand(text(operands[k])));
    }
    const other = SWAPPED[name];
    if (other === undefined || operands.length < 2) return;
    const [a, b] = operands.map(text);
    // The same by names that every file has: a + b as a − (0 − b), in methods.
    yield make(
      node,
      other === "add" ? `cgAsTensor(${a}).add(${b})` : `cgAsTensor(${a}).lessEqual(${b})`,
    );
  };
  yield* visit(tree.program as unknown as Node);
}

/** Numbers are tensors where a call was. */
function asOperand(text: string): string {
  return `cgAsTensor(${text})`;
}

/** The source with the change, and with the helper that the change uses. */
function mutate(source: string, mutant: Mutant, file: string): string {
  const depth = file.split("/").length - 2;
  const path = `${depth === 0 ? "./" : "../".repeat(depth)}tensor.ts`;
  const head = `import { asTensor as cgAsTensor } from "${path}";\n`;
  return head + source.slice(0, mutant.start) + mutant.after + source.slice(mutant.end);
}

/** The tests that should notice a change of a file. */
function testsOf(file: string): string[] {
  const name = file.split("/").at(-1)!.replace(".ts", "");
  if (file.startsWith("src/ops/") || file === "src/backward.ts") return ["tests/ops"];
  const own = `tests/losses/${name}_test.ts`;
  try {
    Deno.statSync(ROOT + own);
    return [own];
  } catch {
    return ["tests/losses"];
  }
}

async function copyInto(folder: string): Promise<void> {
  for (const part of COPIED) await copy(ROOT + part, `${folder}/${part}`);
}

async function copy(from: string, to: string): Promise<void> {
  if (!(await Deno.stat(from)).isDirectory) return await Deno.copyFile(from, to);
  await Deno.mkdir(to);
  for await (const { name } of Deno.readDir(from)) await copy(`${from}/${name}`, `${to}/${name}`);
}

/** Whether a test fails (or does not end) with the change. */
async function isNoticed(folder: string, mutant: Mutant, source: string): Promise<boolean> {
  await Deno.writeTextFile(`${folder}/${mutant.file}`, mutate(source, mutant, mutant.file));
  const run = (tests: string[]) =>
    new Deno.Command(Deno.execPath(), {
      args: ["test", "--no-check", "--fail-fast", "--quiet", "--allow-read", ...tests],
      cwd: folder,
      stdout: "null",
      stderr: "null",
      signal: AbortSignal.timeout(LIMIT_MS),
    }).output();
  const own = testsOf(mutant.file);
  let { code } = await run(own);
  if (code === 0 && own[0] !== "tests/losses") ({ code } = await run(["tests/losses"]));
  await Deno.writeTextFile(`${folder}/${mutant.file}`, source);
  return code !== 0;
}

async function filesToSpoil(filter: string): Promise<string[]> {
  const files: string[] = [];
  for (const folder of ["src/ops", "src/losses"]) {
    for await (const { name } of Deno.readDir(ROOT + folder)) files.push(`${folder}/${name}`);
  }
  return [...files, "src/backward.ts"].filter((file) => file.includes(filter)).sort();
}

function excuse({ file, before, after }: Mutant): string | undefined {
  return EQUIVALENT.find((e) =>
    file.endsWith(e.file) && before.replace(/\s+/g, " ") === e.before &&
    (e.after === undefined || after === asOperand(e.after))
  )?.why;
}

async function main(filter: string): Promise<number> {
  const sources = new Map<string, string>();
  const queue: Mutant[] = [];
  for (const file of await filesToSpoil(filter)) {
    sources.set(file, await Deno.readTextFile(ROOT + file));
    queue.push(...mutantsOf(file, sources.get(file)!));
  }
  const total = queue.length;
  const survivors: Mutant[] = [];
  let excused = 0;
  const work = async () => {
    const folder = await Deno.makeTempDir({ prefix: "mutate" });
    try {
      await copyInto(folder);
      for (let mutant = queue.shift(); mutant !== undefined; mutant = queue.shift()) {
        if (excuse(mutant) !== undefined) excused++;
        else if (!await isNoticed(folder, mutant, sources.get(mutant.file)!)) {
          survivors.push(mutant);
          console.log(`NOT NOTICED ${describe(mutant)}`);
        }
      }
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  console.log(
    `${total} mutants: ${total - survivors.length - excused} noticed, ` +
      `${excused} compute the same, ${survivors.length} not noticed`,
  );
  return survivors.length === 0 ? 0 : 1;
}

function describe({ file, line, before, after }: Mutant): string {
  const short = (text: string) => text.replace(/\s+/g, " ");
  return `${file}:${line}  ${short(before)}  →  ${short(after)}`;
}

if (import.meta.main) Deno.exitCode = await main(Deno.args[0] ?? "");
