/**
 * Compressions of HDF5 datasets beyond those that the library has.
 *
 * @module
 */
import type { H5Library } from "./h5_runtime.ts";
import { messageOf } from "./store.ts";

/** The last filter that the library has: gzip, shuffle, Fletcher's checksum, szip, nbit, offsets. */
const LAST_BUILT_IN = 6;

/** The filters that are fetched on demand, by their registered numbers. */
const PLUGINS: Readonly<Record<number, string>> = {
  307: "bz2",
  32000: "lzf",
  32001: "blosc",
  32004: "lz4",
  32008: "bshuf",
  32015: "zstd",
  32026: "blosc2",
};

const installed = new WeakMap<H5Library["module"], Map<string, Promise<void>>>();

/**
 * Sees to it that the library has a filter.
 *
 * @param library The library.
 * @param filter Its registered number, and its name for messages.
 * @throws {Error} If there is none of this number, or it cannot be fetched: the reason completes a
 * sentence.
 */
export async function needFilter(
  library: H5Library,
  filter: { id: number; name: string },
): Promise<void> {
  if (filter.id <= LAST_BUILT_IN) return;
  const plugin = PLUGINS[filter.id];
  if (plugin === undefined) {
    throw new Error(
      `its compression is not supported: it is HDF5 filter ${filter.id} ${filter.name}, and gzip, ` +
        `${Object.values(PLUGINS).join(", ")} can be read`,
    );
  }
  const ready = installed.get(library.module) ?? new Map<string, Promise<void>>();
  installed.set(library.module, ready);
  if (!ready.has(plugin)) ready.set(plugin, install(library, plugin));
  try {
    await ready.get(plugin);
  } catch (cause) {
    ready.delete(plugin);
    const why = `its compression, ${plugin}, needs a module that cannot be loaded: ${
      messageOf(cause)
    }`;
    throw new Error(why, { cause });
  }
}

async function install({ module }: H5Library, plugin: string): Promise<void> {
  const file = `libH5Z${plugin}.so`;
  const bytes = plugin === "lzf"
    ? (await import("./lzf_filter.ts")).lzfFilter()
    : await pluginBytes(file);
  const folder = module.get_plugin_search_paths()[0]!;
  const { FS } = module;
  FS.mkdirTree(folder);
  FS.writeFile(`${folder}/${file}`, bytes);
}

async function pluginBytes(file: string): Promise<Uint8Array> {
  const { base_url } = await import("h5wasm-plugins");
  const url = new URL(`plugins/${file}`, `${base_url}/`);
  if (url.protocol === "file:") {
    const { readFileSync } = await import("node:fs");
    return new Uint8Array(readFileSync(url));
  }
  const response = await fetch(url);
  if (!response.ok) throw new Error(`the server says ${response.status} of ${url}`);
  return new Uint8Array(await response.arrayBuffer());
}
