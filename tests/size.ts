/**
 * How large is the library? Lines by room, documentation included, and the budgets that rooms and
 * files keep: whoever needs more raises a budget here, by name.
 *
 * @module
 */
import { runProgram, UsageError } from "../examples/lib/arguments.ts";
import { formatCount } from "../examples/lib/format.ts";
import { textTable } from "../examples/lib/table.ts";

/** A part of the library that is counted together. */
export interface Room {
  /** What it is called. */
  name: string;
  /** Its files, and its folders with a slash at the end. */
  paths: readonly string[];
  /** The most lines that it may have. */
  budget?: number;
}

/** The rooms; a file belongs to the first that names it. */
export const ROOMS: readonly Room[] = [
  {
    name: "core",
    paths: [
      "src/op.ts",
      "src/trace.ts",
      ...["backward", "linearize", "grad", "jacobian", "checkpoint"]
        .map((name) => `src/transforms/${name}.ts`),
    ],
    budget: 1_100,
  },
  { name: "linear algebra", paths: ["src/linalg/", "kernels/linalg/"] },
  {
    name: "compile stack",
    paths: ["src/program/", "src/compile/", "src/backends/", "kernels/"],
    budget: 20_900,
  },
  { name: "ops", paths: ["src/ops/"] },
  { name: "losses", paths: ["src/losses/"] },
  { name: "metrics", paths: ["src/metrics/"] },
  { name: "optim", paths: ["src/optim/"] },
  { name: "nn", paths: ["src/nn/"] },
  { name: "random", paths: ["src/random/", "src/random.ts"] },
  { name: "data", paths: ["src/data/"] },
  { name: "mpi", paths: ["src/mpi/"] },
  { name: "tensors, arguments, entry points", paths: ["src/", "mod.ts"] },
];

/** The most lines of a file. */
export const FILE_BUDGET = 400;

/** The lines of files by their paths; 0 for files that are not there. */
export type Sizes = ReadonlyMap<string, number>;

/** The lines of a room, or of a folder in it. */
export interface Size {
  /** The room, or the folder. */
  name: string;
  /** Whether it is a folder of the room above. */
  inner: boolean;
  /** How many files it has. */
  files: number;
  /** How many lines they have. */
  lines: number;
  /** The most that it may have, where that is limited. */
  budget: number | undefined;
}

function sizeOf(name: string, sizes: Sizes, budget?: number): Size {
  const counts = [...sizes.values()];
  const lines = counts.reduce((sum, count) => sum + count, 0);
  return { name, inner: false, files: counts.filter(Boolean).length, lines, budget };
}

function folderOf(path: string): string {
  return path.slice(0, path.lastIndexOf("/") + 1);
}

/** Files grouped by what a function says of their paths, in the order in which it says so first. */
function groupBy(sizes: Sizes, keyOf: (path: string) => string): Map<string, Sizes> {
  const groups = Map.groupBy(sizes, ([path]) => keyOf(path));
  return new Map([...groups].map(([key, entries]) => [key, new Map(entries)]));
}

/**
 * Counts rooms.
 *
 * @param sizes The lines of files.
 * @param rooms The rooms, in order.
 * @returns The size of each room; where it has a budget and several folders, then those of each.
 */
export function countRooms(sizes: Sizes, rooms: readonly Room[]): Size[] {
  const names = ({ paths }: Room, path: string) =>
    paths.some((own) => own.endsWith("/") ? path.startsWith(own) : path === own);
  const homes = groupBy(sizes, (path) => rooms.find((room) => names(room, path))?.name ?? path);
  return rooms.flatMap(({ name, budget }) => {
    const own: Sizes = homes.get(name) ?? new Map();
    const folders = [...groupBy(own, folderOf)];
    if (budget === undefined || folders.length < 2) return [sizeOf(name, own, budget)];
    const inner = folders.map(([folder, files]) => ({ ...sizeOf(folder, files), inner: true }));
    return [sizeOf(name, own, budget), ...inner.sort((a, b) => a.name < b.name ? -1 : 1)];
  });
}

/**
 * What is too large.
 *
 * @param sizes The lines of files.
 * @param rooms The rooms.
 * @returns A line for each room and each file beyond its budget.
 */
export function findExcess(sizes: Sizes, rooms: readonly Room[]): string[] {
  const beyond = (name: string, lines: number, budget: number) =>
    lines > budget ? [`${name} has ${lines} lines, ${lines - budget} more than its budget`] : [];
  return [
    ...countRooms(sizes, rooms).flatMap(({ name, lines, budget }) =>
      beyond(name, lines, budget ?? Infinity)
    ),
    ...[...sizes].flatMap(([path, lines]) => beyond(path, lines, FILE_BUDGET)),
  ];
}

/**
 * Sizes as a table.
 *
 * @param now The sizes.
 * @param before What they were: the same rooms and folders in the same order.
 * @returns The table, with the difference where it is known.
 */
export function sizeTable(now: readonly Size[], before?: readonly Size[]): string {
  const rows = now.map(({ name, inner, files, lines, budget }, i) => {
    const then = before?.[i]?.lines;
    const change = lines - (then ?? 0);
    const past = then === undefined
      ? []
      : [formatCount(then), (change > 0 ? "+" : "") + formatCount(change)];
    return [
      inner ? `  ${name}` : name,
      String(files),
      formatCount(lines),
      ...past,
      budget === undefined ? "" : formatCount(budget),
    ];
  });
  const past = before === undefined ? [] : ["before", "change"];
  return textTable(["room", "files", "lines", ...past, "budget"], rows);
}

const ROOT = new URL("../", import.meta.url);

/** The lines of the library's files. */
export function readSizes(): Sizes {
  const filesOf = (folder: string): string[] =>
    [...Deno.readDirSync(new URL(folder, ROOT))].flatMap(({ name, isDirectory }) =>
      isDirectory ? filesOf(`${folder}${name}/`) : name.endsWith(".ts") ? [folder + name] : []
    );
  const files = ["mod.ts", ...filesOf("src/"), ...filesOf("kernels/")].sort();
  const linesOf = (file: string) =>
    Deno.readTextFileSync(new URL(file, ROOT)).split("\n").length - 1;
  return new Map(files.map((file) => [file, linesOf(file)]));
}

/** The same at a commit. */
async function readSizesAt(revision: string): Promise<Sizes> {
  const { code, stdout, stderr } = await new Deno.Command("git", {
    args: ["grep", "--count", "", revision, "--", "mod.ts", "src/**.ts", "kernels/**.ts"],
    cwd: ROOT,
  }).output();
  const decoder = new TextDecoder();
  if (code !== 0) throw new UsageError(`Cannot read ${revision}: ${decoder.decode(stderr).trim()}`);
  const lines = decoder.decode(stdout).trimEnd().split("\n");
  return new Map(lines.map((line) => {
    const [, path, count] = line.slice(revision.length).split(":");
    return [path!, Number(count)];
  }));
}

const PROGRAM = {
  command: "deno task size",
  summary: "Prints the lines of the library by room. A room or file beyond its budget fails.",
  options: {
    beside: {
      kind: "string",
      placeholder: "REVISION",
      help: "Also print the lines at a commit, and the difference",
    },
  },
} as const;

async function main({ beside }: { beside: string | undefined }): Promise<number> {
  const now = readSizes();
  const before = beside === undefined ? undefined : await readSizesAt(beside);
  const paths = [...new Set([...now.keys(), ...before?.keys() ?? []])].sort();
  const count = (sizes: Sizes) => {
    const all = new Map(paths.map((path) => [path, sizes.get(path) ?? 0]));
    return [...countRooms(all, ROOMS), sizeOf("all", all)];
  };
  console.log(sizeTable(count(now), before && count(before)));
  const excess = findExcess(now, ROOMS);
  for (const line of excess) console.error(`error: ${line}`);
  return excess.length === 0 ? 0 : 1;
}

if (import.meta.main) Deno.exitCode = await runProgram(PROGRAM, Deno.args, main);
