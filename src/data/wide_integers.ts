/**
 * Stores whose integers of more than 32 bits are read in double precision, or as they are.
 *
 * @module
 */
import { checkChoice } from "../options.ts";
import type { Store, StoredArray, StoredGroup } from "./store.ts";

const CHOICES = ["int32", "float64", "bigint"] as const;

/** What integers of more than 32 bits become; in columns, `bigint` leaves those of 64 bits. */
export type Integers = (typeof CHOICES)[number];

/** Throws a `TypeError` that names the caller unless integers can become that. */
export function checkIntegers(caller: string, integers: unknown): asserts integers is Integers {
  checkChoice(caller, "integers", integers, CHOICES);
}

/** The same store, whose arrays say what their integers become. */
export function withIntegers(store: Store, integers: Integers): Store {
  if (integers === "int32") return store;
  return {
    path: store.path,
    format: store.format,
    root: wideGroup(store.root, integers),
    close: () => store.close(),
  };
}

type Wide = Exclude<Integers, "int32">;

function wideGroup(group: StoredGroup, integers: Wide): StoredGroup {
  return {
    kind: "group",
    key: group.key,
    attributes: group.attributes,
    keys: () => group.keys(),
    async get(name) {
      const node = await group.get(name);
      return node?.kind === "group" ? wideGroup(node, integers) : node && wideArray(node, integers);
    },
  };
}

function wideArray(array: StoredArray, integers: Wide): StoredArray {
  return {
    kind: "array",
    key: array.key,
    attributes: array.attributes,
    shape: array.shape,
    type: array.type,
    chunkLength: array.chunkLength,
    integers,
    readNumbers: (...range) => array.readNumbers(...range),
    readStrings: (...range) => array.readStrings(...range),
  };
}
