/**
 * Files that lie elsewhere, of which only the pages are fetched that are asked for.
 *
 * @module
 */
import { type ByteFile, checkRange } from "./file.ts";

/** How many bytes are fetched at a time, at least. */
const PAGE = 2 ** 16;

/** How many pages are kept: 64 MiB. */
const KEPT = 2 ** 10;

/** How many pages are fetched at once, at most, where a file is read from end to end: 4 MiB. */
const AHEAD = 2 ** 6;

/** Bytes that have to be fetched before a call can be made. */
class Missing extends Error {
  /** The first page, and the one behind the last. */
  readonly pages: readonly [number, number];

  constructor(first: number, end: number) {
    super("Bytes have to be fetched first");
    this.pages = [first, end];
  }
}

/**
 * A file in pages. A call that finds a page missing is ended, the page fetched, and the call made
 * again: so that libraries which read within a call read what lies on servers.
 */
export class PagedFile implements ByteFile {
  readonly path: string;
  readonly size: number;
  readonly #fetch: (position: number, length: number) => Promise<Uint8Array>;
  /** By number, the one that was used last at the end. */
  readonly #pages = new Map<number, Uint8Array>();
  #missing: Missing | undefined;
  #calls = 0;
  #isOpen = true;
  /** The page behind those fetched last, and how many they were: a file read in order is fetched ahead. */
  #next = -1;
  #ahead = 1;

  /**
   * A file of `size` bytes.
   *
   * @param path What messages call it.
   * @param size How many bytes it has.
   * @param fetch Fetches bytes that it has, all of them or throws.
   */
  constructor(
    path: string,
    size: number,
    fetch: (position: number, length: number) => Promise<Uint8Array>,
  ) {
    this.path = path;
    this.size = size;
    this.#fetch = fetch;
  }

  readInto(target: Uint8Array, position: number): void {
    checkRange(this, this.#isOpen, position, target.length);
    const [first, end] = [
      Math.floor(position / PAGE),
      Math.ceil((position + target.length) / PAGE),
    ];
    for (let page = first; page < end; page++) {
      const bytes = this.#pages.get(page);
      if (bytes === undefined) throw this.#missing = new Missing(page, end);
      this.#pages.delete(page);
      this.#pages.set(page, bytes);
      const start = page * PAGE - position;
      const part = bytes.subarray(Math.max(0, -start), target.length - start);
      target.set(part, Math.max(0, start));
    }
  }

  async whole<T>(call: () => T): Promise<T> {
    this.#calls++;
    try {
      // A call that lacks much is made again less often the more is fetched at a time.
      for (let least = 1;; least = Math.min(AHEAD, 2 * least)) {
        const made = this.#attempt(call);
        if ("result" in made) return made.result;
        await this.#load(...made.missing.pages, least);
      }
    } finally {
      if (--this.#calls === 0) this.#trim();
    }
  }

  /** What a call gives, or what it lacked, whatever it made of that. */
  #attempt<T>(call: () => T): { result: T } | { missing: Missing } {
    this.#missing = undefined;
    try {
      const result = call();
      return this.#missing === undefined ? { result } : { missing: this.#missing };
    } catch (error) {
      if (this.#missing === undefined) throw error;
      return { missing: this.#missing };
    } finally {
      this.#missing = undefined;
    }
  }

  async #load(first: number, end: number, least: number): Promise<void> {
    this.#ahead = first === this.#next ? Math.min(AHEAD, 2 * this.#ahead) : least;
    const wanted = Math.min(Math.ceil(this.size / PAGE), Math.max(end, first + this.#ahead));
    let last = first + 1;
    while (last < wanted && !this.#pages.has(last)) last++;
    const start = first * PAGE;
    const bytes = await this.#fetch(start, Math.min(this.size, last * PAGE) - start);
    // Pages of their own, so that those of one fetch need not be kept together.
    for (let page = first; page < last; page++) {
      this.#pages.set(page, bytes.slice((page - first) * PAGE, (page - first + 1) * PAGE));
    }
    this.#next = last;
  }

  /** Forgets the pages that were used longest ago: never within a call, which needs them again. */
  #trim(): void {
    for (const page of this.#pages.keys()) {
      if (this.#pages.size <= KEPT) return;
      this.#pages.delete(page);
    }
  }

  async read(position: number, length: number): Promise<Uint8Array<ArrayBuffer>> {
    checkRange(this, this.#isOpen, position, length);
    const bytes = new Uint8Array(length);
    await this.whole(() => this.readInto(bytes, position));
    return bytes;
  }

  close(): void {
    this.#isOpen = false;
    this.#pages.clear();
  }
}
