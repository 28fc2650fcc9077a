/**
 * PyTorch, in a Python process that is kept alive: `pytorch.py`, a line at a time.
 *
 * @module
 */
import { LineProcess } from "./line_process.ts";
import type { Inputs, Side, Task } from "./side.ts";

/** The interpreter that Debian's `python3-torch` belongs to. */
const PYTHON = "/usr/bin/python3";

type Answer = Record<string, unknown>;
type Ask = (request: unknown) => Promise<Answer>;

/** PyTorch; throws where Python or `python3-torch` is not installed. */
export async function loadPyTorch(threads: number): Promise<Side> {
  const script = decodeURIComponent(new URL("./pytorch.py", import.meta.url).pathname);
  const limits = { OMP_NUM_THREADS: `${threads}`, OPENBLAS_NUM_THREADS: `${threads}` };
  const python = new LineProcess(PYTHON, [script, `${threads}`], limits);
  const ask: Ask = async (request) => readAnswer(await python.ask(JSON.stringify(request)));
  const { version } = readAnswer(await python.read());
  return {
    name: "pytorch",
    version: version as string,
    async prepare(form, inputs) {
      const { task } = await ask({ prepare: form, inputs: encodeInputs(inputs) });
      return task === null ? undefined : remoteTask(ask, task);
    },
    close: () => python.close(),
  };
}

function readAnswer(line: string): Answer {
  const answer = JSON.parse(line) as Answer;
  if (answer.error !== undefined) throw new Error(String(answer.error));
  return answer;
}

function remoteTask(ask: Ask, task: unknown): Task {
  return {
    async outputs() {
      const { outputs } = await ask({ task });
      return (outputs as string[]).map((text) =>
        new Float32Array(Uint8Array.fromBase64(text).buffer)
      );
    },
    time: async (calls) => (await ask({ task, calls })).ms as number,
  };
}

function encodeInputs(inputs: Inputs): unknown {
  const encoded = Object.entries(inputs).map(([name, { shape, data }]) => {
    const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
    return [name, { shape, data: bytes.toBase64() }];
  });
  return Object.fromEntries(encoded);
}
