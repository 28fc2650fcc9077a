/**
 * What is added to a file that exists.
 *
 * @module
 */
import type { AnnDataFile } from "./anndata.ts";
import { frameAttributes, INDEX, type Members } from "./written_parts.ts";
import {
  type Attributes,
  encoding,
  groupNode,
  mappingNode,
  type WrittenArray,
  type WrittenGroup,
  type WrittenNode,
} from "./written_tree.ts";
import { type Place, within, wrongKind, wrongValue } from "./written_values.ts";

/** What is added to a group. */
export interface Addition {
  /** The members, by name. */
  readonly members: ReadonlyMap<string, WrittenNode>;
  /** The attributes that take the place of others of their names. */
  readonly attributes: Attributes;
  /** The group where there has been none. */
  readonly group: WrittenGroup;
}

/** What is added to a file: to which groups of the root; the root's own name is empty. */
export interface Update {
  /** The file. */
  readonly place: Place;
  /** Whether members may take the place of others. */
  readonly overwrite: boolean;
  /** What is added, by the name of the group. */
  readonly additions: ReadonlyMap<string, Addition>;
}

/** Throws where a member has a name that is taken. `index` is the name of a frame's names of rows. */
export function checkTaken(
  { place, overwrite }: Update,
  group: string,
  member: string,
  isTaken: boolean,
  index: unknown,
): void {
  const at = group === "" ? place : within(place, group);
  if (member === index) {
    throw wrongKind(within(at, member), "it names the rows, which stay as they are");
  }
  if (!isTaken || overwrite) return;
  throw wrongKind(within(at, member), "it is there already: the option overwrite replaces it");
}

/** What the members mean for the groups of an open file. */
export async function toAdditions(
  place: Place,
  file: AnnDataFile,
  members: Members,
): Promise<Map<string, Addition>> {
  const additions = new Map<string, Addition>();
  for (const [name, given] of members) {
    if (given.size === 0) continue;
    const own = new Map(given);
    let attributes: Attributes = {};
    if (name === "obs" || name === "var") {
      await checkNames(within(place, name), file, own.get(INDEX));
      own.delete(INDEX);
      if (own.size === 0) continue;
      const columns = [...new Set([...file.keys[name], ...own.keys()])];
      const { "column-order": order } = frameAttributes(within(place, name), INDEX, columns);
      attributes = { "column-order": order! };
    }
    const group = name === "" ? groupNode(encoding("anndata", "0.1.0"), own) : mappingNode(own);
    additions.set(name, { members: own, attributes, group });
  }
  return additions;
}

/** Throws unless names of rows that are given are those of the file. */
async function checkNames(
  place: Place,
  file: AnnDataFile,
  given: WrittenNode | undefined,
): Promise<void> {
  if (given === undefined) return;
  const names = await (place.key === "obs" ? file.obsNames() : file.varNames());
  const own = (given as WrittenArray).values;
  const wrong = names.findIndex((name, i) => own[i] !== name);
  if (wrong < 0) return;
  const why = "names must be those of the file, in its order: " +
    `name ${wrong} is ${JSON.stringify(own[wrong])}, and the file has ${
      JSON.stringify(names[wrong])
    }`;
  throw wrongValue(within(place, INDEX), why);
}
