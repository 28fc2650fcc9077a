/**
 * Stores whose integers of more than 32 bits are read in double precision.
 *
 * @module
 */
import type { Store, StoredArray, StoredGroup } from "./store.ts";

/** The same store, whose arrays say so. */
export function withWideIntegers(store: Store): Store {
  return {
    path: store.path,
    format: store.format,
    root: wideGroup(store.root),
    close: () => store.close(),
  };
}

function wideGroup(group: StoredGroup): StoredGroup {
  return {
    kind: "group",
    key: group.key,
    attributes: group.attributes,
    keys: () => group.keys(),
    async get(name) {
      const node = await group.get(name);
      return node?.kind === "group" ? wideGroup(node) : node && wideArray(node);
    },
  };
}

function wideArray(array: StoredArray): StoredArray {
  return {
    kind: "array",
    key: array.key,
    attributes: array.attributes,
    shape: array.shape,
    type: array.type,
    chunkLength: array.chunkLength,
    wide: true,
    readNumbers: (...range) => array.readNumbers(...range),
    readStrings: (...range) => array.readStrings(...range),
  };
}
