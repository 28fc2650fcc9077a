/**
 * The buffers that a program keeps: each serves for one value after the other.
 *
 * @module
 */
import type { Place, PlaceId } from "./instructions.ts";

/** The places of a program, and which of them are free. */
export class Slots {
  /** All places, by number. */
  readonly places: Place[] = [];
  #free: PlaceId[] = [];

  /** A place that nothing else will use. */
  add(kind: Place["kind"], bytes: number): PlaceId {
    return this.places.push({ kind, bytes }) - 1;
  }

  /** A place of the program's own: the smallest free one that is large enough, else the largest. */
  take(bytes: number): PlaceId {
    const size = (id: PlaceId) => this.places[id]!.bytes;
    const sorted = this.#free.sort((a, b) => size(a) - size(b));
    const found = sorted.find((id) => size(id) >= bytes) ?? sorted.at(-1);
    if (found === undefined) return this.add("own", bytes);
    this.#free = sorted.filter((id) => id !== found);
    this.places[found]!.bytes = Math.max(size(found), bytes);
    return found;
  }

  /** Makes a place free for what comes. */
  give(id: PlaceId): void {
    if (this.places[id]!.kind === "own") this.#free.push(id);
  }
}
