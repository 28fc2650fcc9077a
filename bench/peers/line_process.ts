/**
 * A process that is asked line by line.
 *
 * @module
 */

/** A process that answers each line on its standard input by a line on its standard output. */
export class LineProcess {
  readonly #command: string;
  readonly #child: Deno.ChildProcess;
  readonly #writer: WritableStreamDefaultWriter<Uint8Array<ArrayBuffer>>;
  readonly #reader: ReadableStreamDefaultReader<string>;
  #rest = "";

  /** Starts the process; throws where there is no such program. */
  constructor(command: string, args: string[], env: Record<string, string> = {}) {
    this.#command = command;
    this.#child = new Deno.Command(command, {
      args,
      env,
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    this.#writer = this.#child.stdin.getWriter();
    this.#reader = this.#child.stdout.pipeThrough(new TextDecoderStream()).getReader();
  }

  /** The next line; throws where the process ends before it. */
  async read(): Promise<string> {
    const parts = [this.#rest];
    while (!parts.at(-1)!.includes("\n")) {
      const { value, done } = await this.#reader.read();
      if (done) throw new Error(`${this.#command} ended without an answer`);
      parts.push(value);
    }
    const text = parts.join("");
    const end = text.indexOf("\n");
    this.#rest = text.slice(end + 1);
    return text.slice(0, end);
  }

  /** Sends a line and waits for the answer. */
  async ask(line: string): Promise<string> {
    await this.#writer.write(new TextEncoder().encode(line + "\n"));
    return await this.read();
  }

  /** Ends the process by closing its input. */
  async close(): Promise<void> {
    await this.#writer.close();
    await this.#reader.cancel();
    await this.#child.status;
  }
}
