/**
 * Headless Chromium, driven through its debugging protocol.
 *
 * @module
 */

/** The browser's names, the usual ones first. */
const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** Software WebGPU is asked for by name, as machines for tests have no graphics card. */
const ARGUMENTS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--remote-debugging-port=0",
];

/** The browser's command; `undefined` where it is not installed. */
export async function findChromium(): Promise<string | undefined> {
  for (const name of NAMES) {
    try {
      const silent: Deno.CommandOptions = { args: ["--version"], stdout: "null", stderr: "null" };
      if ((await new Deno.Command(name, silent).output()).success) return name;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

type Message = {
  id?: number;
  method?: string;
  params?: Record<string, unknown>;
  result?: Record<string, unknown>;
  error?: { message: string };
};

/** A page in the browser. */
export class Tab implements AsyncDisposable {
  readonly #socket: WebSocket;
  readonly #answers = new Map<number, (message: Message) => void>();
  #count = 0;
  /** What the page wrote as errors, and exceptions that nobody caught. */
  readonly errors: string[] = [];

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener("message", ({ data }) => this.#hear(JSON.parse(data) as Message));
  }

  /** Opens a tab of a browser. */
  static async open(port: number): Promise<Tab> {
    const response = await fetch(`http://127.0.0.1:${port}/json/new?about:blank`, {
      method: "PUT",
    });
    const { webSocketDebuggerUrl } = await response.json();
    const socket = new WebSocket(webSocketDebuggerUrl);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    const tab = new Tab(socket);
    for (const domain of ["Page", "Runtime", "Log"]) await tab.send(`${domain}.enable`);
    return tab;
  }

  /** Sends a command, and waits for its answer. */
  send(method: string, params: Record<string, unknown> = {}): Promise<Record<string, unknown>> {
    const id = ++this.#count;
    this.#socket.send(JSON.stringify({ id, method, params }));
    return new Promise((resolve, reject) => {
      this.#answers.set(id, ({ result, error }) => {
        if (error) reject(new Error(`${method}: ${error.message}`));
        else resolve(result ?? {});
      });
    });
  }

  /** The value of an expression on the page; promises are waited for. */
  async evaluate<T>(expression: string): Promise<T> {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
      userGesture: true,
    }) as {
      result: { value: T };
      exceptionDetails?: { exception?: { description?: string }; text: string };
    };
    if (exceptionDetails === undefined) return result.value;
    const { exception, text } = exceptionDetails;
    throw new Error(`${exception?.description ?? text} in ${expression.slice(0, 200)}`);
  }

  /** Waits until an expression on the page is true. */
  async until(expression: string, seconds = 60): Promise<void> {
    const end = performance.now() + 1000 * seconds;
    while (!await this.evaluate<boolean>(`Boolean(${expression})`)) {
      if (performance.now() > end) {
        const text = await this.evaluate<string>("document.body.innerText.slice(0, 2000)");
        throw new Error(`${expression} did not come true in ${seconds} s: ${text}`);
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  /** Sets the size of the window, and whether it is dark. */
  async resize(width: number, height: number, scheme: "light" | "dark" = "light"): Promise<void> {
    const mobile = width < 600;
    const metrics = { width, height, deviceScaleFactor: 1, mobile };
    await this.send("Emulation.setDeviceMetricsOverride", metrics);
    const features = [{ name: "prefers-color-scheme", value: scheme }];
    await this.send("Emulation.setEmulatedMedia", { features });
  }

  /** Goes to an address. */
  async goto(url: string): Promise<void> {
    await this.send("Page.navigate", { url });
    await this.until(
      `location.href === ${JSON.stringify(url)} && document.readyState !== "loading"`,
    );
  }

  /** A picture of the whole page, as PNG. */
  async screenshot(): Promise<Uint8Array> {
    const options = { captureBeyondViewport: true, format: "png" };
    const { data } = await this.send("Page.captureScreenshot", options);
    return Uint8Array.fromBase64(data as string);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.send("Page.close").catch(() => {});
    this.#socket.close();
  }

  #hear(message: Message): void {
    const { id, method, params } = message;
    if (id !== undefined) {
      this.#answers.get(id)?.(message);
      this.#answers.delete(id);
    }
    if (method === "Runtime.exceptionThrown") this.errors.push(JSON.stringify(params));
    if (method !== "Log.entryAdded") return;
    const { level, text } = (params as { entry: { level: string; text: string } }).entry;
    if (level === "error") this.errors.push(text);
  }
}

/** A browser. */
export interface Chromium extends AsyncDisposable {
  /** Opens a tab. */
  open(): Promise<Tab>;
}

/** Starts a browser with a profile of its own; `await using` ends it, and removes the profile. */
export async function startChromium(command: string, extra: string[] = []): Promise<Chromium> {
  const profile = await Deno.makeTempDir();
  const child = new Deno.Command(command, {
    args: [...ARGUMENTS, ...extra, `--user-data-dir=${profile}`, "about:blank"],
    stdin: "null",
    stdout: "null",
    stderr: "null",
  }).spawn();
  const end = async () => {
    try {
      child.kill("SIGTERM");
    } catch {
      // It has ended by itself.
    }
    await child.status;
    // Its helpers may still write for a moment.
    for (let left = 20; left > 0; left--) {
      try {
        return await Deno.remove(profile, { recursive: true });
      } catch {
        await new Promise((resolve) => setTimeout(resolve, 100));
      }
    }
  };
  try {
    const port = await readPort(`${profile}/DevToolsActivePort`);
    return { open: () => Tab.open(port), [Symbol.asyncDispose]: end };
  } catch (error) {
    await end();
    throw error;
  }
}

/** The port that the browser chose; it writes it to a file in its profile. */
async function readPort(file: string): Promise<number> {
  for (let left = 300; left > 0; left--) {
    const port = parseInt(await Deno.readTextFile(file).catch(() => ""));
    if (port > 0) return port;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error("Chromium did not start within 30 s");
}
