/**
 * What a program keeps: an executable for each set of shapes, up to a limit. Those that were used
 * longest ago go first, and none while it runs.
 *
 * @module
 */
import { formatBytes } from "../describe.ts";
import type { Executable } from "../program/device.ts";
import { explainPlan } from "../program/explain.ts";

/** A program for arguments of certain shapes and types. */
export interface Specialization {
  /** What runs, or a promise of it. */
  executable: Executable | Promise<Executable>;
  /** The result from its tensors. */
  readonly rebuild: (leaves: readonly unknown[]) => unknown;
  /** How many calls are under way. */
  uses: number;
}

/** The most sets of shapes that are kept. */
export const MOST_KEPT = 32;

/** The most bytes that they keep in all; the two that were used last may have more. */
export const MOST_BYTES: number = 2 ** 28;

/** Sets of shapes in turns, such as whole batches and the rest of the data, stay whatever their size. */
const ALWAYS_KEPT = 2;

/** The executables of a program, those used last at the end. */
export class Specializations {
  readonly #known = new Map<string, Specialization>();
  #made = 0;
  /** Whether nothing is kept any more. */
  isDisposed = false;

  /** What is known for a set of shapes, in use from now on: {@linkcode release} it. */
  get(key: string): Specialization | undefined {
    const found = this.#known.get(key);
    if (found === undefined) return undefined;
    found.uses++;
    this.#known.delete(key);
    this.#known.set(key, found);
    return found;
  }

  /**
   * Keeps what was made, in use from now on; what fails, for want of memory perhaps, is forgotten at
   * once.
   */
  add(key: string, made: Specialization): void {
    made.uses++;
    this.#known.set(key, made);
    this.#made++;
    const { executable } = made;
    if (!(executable instanceof Promise)) return this.#keep(made, executable);
    const forget = () => {
      if (this.#known.get(key) === made) this.#known.delete(key);
    };
    executable.then((found) => this.#keep(made, found), forget);
  }

  /** Makes room for one more, before it is made; it may be as large as the last one. */
  makeRoom(): void {
    const newest = [...this.#known.values()].at(-1);
    this.#trim(1, (newest && readyOf(newest))?.bytes ?? 0);
  }

  /** A call has ended. */
  release(used: Specialization): void {
    used.uses--;
    if (this.#known.size > ALWAYS_KEPT) this.#trim();
  }

  /** The plans of all that are kept, and how many there may be. */
  explain(): string {
    const ready = this.#ready();
    const dropped = this.#made - this.#known.size;
    return [
      ...ready.map((executable) => explainPlan(executable.plan())),
      `kept: ${ready.length} of at most ${MOST_KEPT} sets of shapes, ` +
      `${formatBytes(this.#bytes())} of at most ${formatBytes(MOST_BYTES)} but for the last two` +
      (dropped === 0 ? "" : `; ${dropped} made before ${dropped === 1 ? "is" : "are"} gone`),
    ].join("\n");
  }

  /** The kernels of all that are kept, each once. */
  sources(): string[] {
    return [...new Set(this.#ready().flatMap((executable) => executable.sources()))];
  }

  /** Frees all. */
  dispose(): void {
    this.isDisposed = true;
    this.#ready().forEach((executable) => executable.dispose());
    this.#known.clear();
  }

  #keep(made: Specialization, executable: Executable): void {
    if (this.isDisposed) return executable.dispose();
    made.executable = executable;
    this.#trim();
  }

  #ready(): Executable[] {
    return [...this.#known.values()].flatMap((known) => readyOf(known) ?? []);
  }

  #bytes(): number {
    return this.#ready().reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** Lets those go that were used longest ago and are beyond a limit. */
  #trim(more = 0, moreBytes = 0): void {
    let [count, bytes] = [this.#known.size + more, this.#bytes() + moreBytes];
    for (const [key, old] of this.#known) {
      if (count <= ALWAYS_KEPT || (count <= MOST_KEPT && bytes <= MOST_BYTES)) return;
      if (old.uses > 0) continue;
      const executable = readyOf(old);
      this.#known.delete(key);
      count--;
      bytes -= executable?.bytes ?? 0;
      executable?.dispose();
    }
  }
}

function readyOf({ executable }: Specialization): Executable | undefined {
  return executable instanceof Promise ? undefined : executable;
}
