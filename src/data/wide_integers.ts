/**
 * Stores whose integers of more than 32 bits are read in double precision, or as they are.
 *
 * @module
 */
import type { Store, StoredArray, StoredGroup, WideIntegers } from "./store.ts";

/** The same store, whose arrays say so. */
export function withWideIntegers(store: Store, integers: WideIntegers): Store {
  return {
    path: store.path,
    format: store.format,
    root: wideGroup(store.root, integers),
    close: () => store.close(),
  };
}

function wideGroup(group: StoredGroup, integers: WideIntegers): StoredGroup {
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

function wideArray(array: StoredArray, integers: WideIntegers): StoredArray {
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
