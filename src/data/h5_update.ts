/**
 * Additions to HDF5 files. What is there keeps its place: new objects come after it, groups that
 * gain members are written anew with the addresses of the old ones, and the superblock names the new
 * root.
 *
 * @module
 */
import type { File as H5File, Metadata } from "h5wasm";
import { elementsOf, isElementType } from "./elements.ts";
import { LocalFile } from "./file.ts";
import { attempt, type H5Library, openHandle } from "./h5_runtime.ts";
import { fixedText, UNDEFINED } from "./h5_messages.ts";
import { typeName } from "./h5_types.ts";
import { H5Writer, type RawAttribute, superblock } from "./h5_writer.ts";
import { type FileOutput, replaceFile } from "./output.ts";
import { Resources, unreadable } from "./store.ts";
import type { Values } from "./written_tree.ts";
import { checkTaken, type Update } from "./addition.ts";

/** A group of a file: its attributes, and the addresses of its members. */
interface OldGroup {
  readonly attributes: Record<string, Values | RawAttribute>;
  readonly links: ReadonlyMap<string, number>;
}

/**
 * Adds members to the groups of a file: to a copy of it, which takes its place by a rename.
 *
 * @param path The file.
 * @param update What is added.
 * @param check Looks at the copy before it takes the file's place.
 */
export async function updateH5(
  path: string,
  update: Update,
  check: (copy: string) => Promise<void>,
): Promise<void> {
  checkOld(update, await readOld(path, path, update));
  await replaceFile(path, async (output, copy) => {
    const old = await readOld(copy, path, update);
    checkOld(update, old);
    await append(output, old, update);
    output.flush();
    await check(copy);
  }, path);
}

/** What a file holds already, where something is added. */
interface Old {
  readonly head: Superblock;
  readonly groups: ReadonlyMap<string, OldGroup>;
}

function checkOld(update: Update, { groups }: Old): void {
  for (const [name, { members }] of update.additions) {
    const group = groups.get(name);
    const index = textOf(group?.attributes["_index"]);
    for (const member of members.keys()) {
      checkTaken(update, name, member, group?.links.has(member) ?? false, index);
    }
  }
}

/** The text of an attribute. */
function textOf(value: Values | RawAttribute | undefined): unknown {
  if (value === undefined || !("datatype" in value)) return value?.values[0];
  return new TextDecoder().decode(value.bytes).replace(/[\0 ]+$/, "");
}

async function append(
  output: FileOutput,
  { head, groups }: Old,
  { additions }: Update,
): Promise<void> {
  const writer = new H5Writer(output, head.base, "none");
  const root = groups.get("")!;
  const links = new Map(root.links);
  for (const [name, { members, attributes, group }] of additions) {
    const old = groups.get(name);
    if (old === undefined) {
      links.set(name, await writer.write(group));
      continue;
    }
    const inside = name === "" ? links : new Map(old.links);
    for (const [member, node] of members) inside.set(member, await writer.write(node));
    if (name === "") continue;
    links.set(name, writer.writeGroup({ ...old.attributes, ...attributes }, inside));
  }
  const address = writer.writeGroup(root.attributes, links);
  writer.end();
  output.replace(head.base, head.with(address, output.size));
}

/** Reads what will be written anew of a file that messages call `path`. */
async function readOld(copy: string, path: string, { additions }: Update): Promise<Old> {
  const file = await LocalFile.open(copy);
  const resources = new Resources();
  resources.add(() => file.close());
  try {
    const { library, handle } = await openHandle(file, path, resources);
    const groups = new Map<string, OldGroup>();
    for (const name of new Set(["", ...additions.keys()])) {
      const group = readGroup(library, handle, path, name);
      if (group !== undefined) groups.set(name, group);
    }
    return { head: readSuperblock(file, path), groups };
  } finally {
    resources.close();
  }
}

function readGroup(
  library: H5Library,
  handle: H5File,
  path: string,
  name: string,
): OldGroup | undefined {
  const { module } = library;
  const key = `/${name}`;
  const call = <T>(act: () => T) =>
    attempt(library, act, (reason, cause) => unreadable(path, name, reason, cause));
  if (name !== "" && !call(() => module.get_names(handle.file_id, "/", false)).includes(name)) {
    return undefined;
  }
  const links = new Map<string, number>();
  for (const member of call(() => module.get_names(handle.file_id, key, false))) {
    const place = name === "" ? `/${member}` : `${key}/${member}`;
    const type = call(() => module.get_type(handle.file_id, place));
    if (type === module.H5G_LINK || type === module.H5G_UDLINK) {
      const why = "it is a link to another file or to nothing, which cannot be kept";
      throw unreadable(path, place.slice(1), why);
    }
    const reference = Uint8Array.from(
      call(() => module.create_object_reference(handle.file_id, place)),
    );
    links.set(member, Number(new DataView(reference.buffer).getBigUint64(0, true)));
  }
  const attributes: Record<string, Values | RawAttribute> = {};
  for (const attribute of call(() => module.get_attribute_names(handle.file_id, key))) {
    const type = call(() => module.get_attribute_metadata(handle.file_id, key, attribute));
    const value = readAttribute(library, handle, key, attribute, type, call);
    if (value === undefined) {
      const why = `its attribute ${attribute} is of an HDF5 type that cannot be kept`;
      throw unreadable(path, name, why);
    }
    attributes[attribute] = value;
  }
  return { attributes, links };
}

/** The value of an attribute with its type; `undefined` where the type is another one. */
function readAttribute(
  { module }: H5Library,
  { file_id: file }: H5File,
  key: string,
  name: string,
  type: Metadata,
  call: <T>(act: () => T) => T,
): Values | RawAttribute | undefined {
  const own = typeOf(type);
  if (own === undefined || type.shape === null) return undefined;
  const size = type.total_size * type.size;
  const pointer = module._malloc(Math.max(1, size));
  try {
    module.HEAPU8.fill(0, pointer, pointer + size);
    call(() => module.get_attribute_data(file, key, name, BigInt(pointer)));
    const bytes = module.HEAPU8.slice(pointer, pointer + size) as Uint8Array<ArrayBuffer>;
    const { shape, strpad = 0, cset = 0 } = type;
    if (own !== "string") return { type: own, shape, values: elementsOf(own, bytes.buffer) };
    if (!type.vlen) return { datatype: fixedText(type.size, strpad, cset), shape, bytes };
    const texts = Array.from(new Uint32Array(bytes.buffer), (at) => module.UTF8ToString(at));
    return { type: own, shape, values: texts };
  } finally {
    if (type.vlen) module.reclaim_vlen_memory(file, key, name, BigInt(pointer));
    module._free(pointer);
  }
}

function typeOf(type: Metadata): Values["type"] | undefined {
  const name = typeName(type);
  return name === "string" || isElementType(name) ? name : undefined;
}

/** The block that says where a file's root is. */
interface Superblock {
  /** Where the file begins: after another program's bytes. */
  readonly base: number;
  /** Its bytes with another root and end. */
  with(root: number, end: number): Uint8Array;
}

/** Reads the superblock (II.A). */
function readSuperblock(file: LocalFile, path: string): Superblock {
  const signature = superblock(2, 0, UNDEFINED, 0, 0).subarray(0, 8);
  let start = 0;
  while (!signature.every((byte, i) => file.bytesAt(start, 8)[i] === byte)) {
    start = Math.max(512, 2 * start);
  }
  const bytes = file.bytesAt(start, Math.min(104, file.size - start));
  const view = new DataView(bytes.buffer);
  const version = bytes[8]!;
  const isOld = version < 2;
  const sizes = isOld ? [bytes[13], bytes[14]] : [bytes[9], bytes[10]];
  const at = version === 0 ? 24 : version === 1 ? 28 : 12;
  const base = Number(view.getBigUint64(at, true));
  const isPlain = sizes.every((size) => size === 8) && base === start && version <= 3;
  // A driver for several files, or an extension, such as a list of free space that would soon hold
  // other bytes than what is added.
  const more = view.getBigUint64(isOld ? at + 24 : at + 8, true);
  if (!isPlain || more !== 2n ** 64n - 1n) {
    const why = "its HDF5 superblock is of a form that cannot be added to: write it anew with " +
      "AnnData, or with h5repack";
    throw unreadable(path, "", why);
  }
  return {
    base,
    with(root, end) {
      if (!isOld) return superblock(version, base, UNDEFINED, end, root);
      view.setBigUint64(at + 16, BigInt(end), true);
      // The entry of the root: its name, its address, and nothing that is known beforehand.
      view.setBigUint64(at + 40, BigInt(root), true);
      bytes.fill(0, at + 48, at + 72);
      return bytes.subarray(0, at + 72);
    },
  };
}
