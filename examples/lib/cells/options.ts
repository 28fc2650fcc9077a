/** The options of all programs that read cells from a file. */
import { UsageError } from "../usage_error.ts";

/** The option of the file. */
export const DATA_OPTION = {
  kind: "string",
  placeholder: "FILE",
  help: "Cells: .h5ad, .zarr, .zarr.zip, .csv or .tsv (simulated ones by default)",
} as const;

/** Spread them into a program's own options. */
export const READING_OPTIONS = {
  genes: {
    kind: "string",
    placeholder: "NAMES",
    help: "Genes to take, with commas between them (all by default)",
  },
  ignore: {
    kind: "string",
    placeholder: "NAMES",
    help: "Genes to leave out, or columns of a table that are none, with commas between them",
  },
  header: { kind: "boolean", help: "The first row of a table names its columns, if by numbers" },
  decimal: {
    kind: "choice",
    choices: [".", ","],
    default: ".",
    help: "The mark in front of decimals in a table",
  },
  unlabelled: {
    kind: "choice",
    choices: ["drop", "error"],
    default: "drop",
    help: "What becomes of cells whose label is missing",
  },
} as const;

export interface Reading {
  /** The column of the cell types. */
  labels: string | undefined;
  /** The column of the batches; none by default. */
  batch?: string | undefined;
  /** The genes to take; all by default. */
  genes?: string | undefined;
  /** What is left out; nothing by default. */
  ignore?: string | undefined;
  /** Whether the first row of a table names the columns, whatever it holds. */
  header?: boolean | undefined;
  /** The mark in front of a table's decimals; a point by default. */
  decimal?: "." | "," | undefined;
  /** What becomes of cells without a label; they are dropped by default. */
  unlabelled?: "drop" | "error" | undefined;
}

/** The names in the value of an option. */
function namesIn(list: string | undefined): string[] | undefined {
  return list?.split(",").map((name) => name.trim()).filter((name) => name !== "");
}

/** The names that the options choose; throws where they name what is not among the known ones. */
export function chosenNames(
  { genes, ignore }: Reading,
  known: readonly string[],
  what: "genes" | "columns",
  where: string,
): { wanted: readonly string[] | undefined; isChosen: (name: string) => boolean } {
  const [wanted, ignored] = [namesIn(genes), namesIn(ignore) ?? []];
  for (const [option, names] of [["--genes", wanted ?? []], ["--ignore", ignored]] as const) {
    const unknown = names.find((name) => !known.includes(name));
    if (unknown === undefined) continue;
    throw new UsageError(
      `Option ${option} must name ${what} of ${where}: there is no ${unknown} among ` +
        listed(known),
    );
  }
  const isChosen = (name: string) => !ignored.includes(name) && (wanted?.includes(name) ?? true);
  return { wanted, isChosen };
}

/** How many names a message lists. */
const LISTED = 12;

/** Names in a message: the first ones, where there are many. */
export function listed(names: readonly string[]): string {
  if (names.length <= LISTED) return names.join(", ") || "none";
  return `${names.slice(0, LISTED).join(", ")}, … (${names.length} in all)`;
}
