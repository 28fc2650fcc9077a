/**
 * The page: a loss, its parameters and the cells on one side; its value, its gradient and a training
 * on the other.
 */
/// <reference lib="dom" />
import { webgpu } from "@cellgrad/cellgrad";
import { type Cells, missingFor, simulatedCells } from "./cells.ts";
import { acceptFiles, forgetFile } from "./cells_form.ts";
import { checkElements } from "./check_view.ts";
import { byId, element, paragraph } from "./dom.ts";
import { checkPoint, computeOn, samplePoint } from "./gradient_check.ts";
import { LOSSES } from "./losses.ts";
import type { Task } from "./model.ts";
import { showParameters } from "./parameter_form.ts";
import { number, type ValuesOf } from "./parameters.ts";
import { TrainingView } from "./training_view.ts";

type WebGpu = Awaited<ReturnType<typeof webgpu>>;

const SETTINGS = {
  learningRate: number(0.01, { above: 0, max: 1 }, "About how far each weight moves per step"),
  hiddenUnits: number(32, { integer: true, min: 1, max: 1024 }, "Units of the hidden layer"),
};

type Settings = ValuesOf<typeof SETTINGS>;

/** How long the page waits for the next change before it computes. */
const PATIENCE_MS = 250;

class Page {
  #gpu: WebGpu | undefined;
  #noGpu = "";
  #task: Task = { entry: LOSSES[0]!, values: {}, cells: simulatedCells() };
  #settings: Settings;
  readonly #training: TrainingView;
  /** Changes with every computation, so that late results of earlier ones are not shown. */
  #turn = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    const settings = byId("settings");
    const row = element("div", { class: "row", id: "settings" });
    settings.replaceWith(row);
    const change = (values: unknown) => {
      this.#settings = values as Settings;
      this.#later();
    };
    this.#settings = showParameters(row, SETTINGS, change) as unknown as Settings;
    this.#training = new TrainingView(row);
  }

  /** Builds the page, looks for a device, and computes for the first time. */
  async open(): Promise<void> {
    const select = byId("loss") as HTMLSelectElement;
    const families = new Map<string, HTMLOptGroupElement>();
    for (const { name, family } of LOSSES) {
      const group = families.get(family) ?? element("optgroup", { label: family });
      families.set(family, group);
      group.append(element("option", { value: name }, name));
    }
    select.append(...families.values());
    select.addEventListener("change", () => this.#pick(select.value));
    byId("defaults").addEventListener("click", () => this.#pick(select.value));
    acceptFiles((cells) => this.#use(cells));
    byId("simulated").addEventListener("click", () => {
      forgetFile();
      this.#use(simulatedCells());
    });
    byId("simulated").hidden = true;
    for (const form of document.forms) form.addEventListener("submit", (e) => e.preventDefault());
    await this.#openDevice();
    this.#use(this.#task.cells);
    this.#pick(select.value);
  }

  async #openDevice(): Promise<void> {
    const note = byId("device");
    try {
      const gpu = await webgpu();
      this.#gpu = gpu;
      note.className = "note fine";
      note.textContent = `WebGPU: ${gpu.name}${
        gpu.isSoftware ? ", played by the processor: right, and slow" : ""
      }.`;
      void gpu.lost.then(({ message }) => this.#loseDevice(message));
    } catch (error) {
      this.#noGpu = "There is no WebGPU here, so this page shows the CPU only.";
      // The library's message says why, then what to do.
      const advice = /: (.*)/s.exec((error as Error).message)?.[1];
      note.textContent = `${this.#noGpu} To see both: ${advice ?? (error as Error).message}.`;
    }
    this.#showLegend();
  }

  #showLegend(): void {
    const entry = (name: string, text: string) =>
      element("li", {}, element("i", { class: name }), text);
    byId("legend").replaceChildren(
      entry("cpu", "CPU"),
      ...(this.#gpu ? [entry("gpu", "WebGPU")] : []),
    );
  }

  #loseDevice(message: string): void {
    this.#gpu = undefined;
    this.#noGpu = "The WebGPU device was lost, so this page goes on with the CPU.";
    const note = byId("device");
    note.className = "note";
    note.textContent = `${this.#noGpu} Reload the page to ask for it again. ${message}`;
    this.#showLegend();
    this.#later();
  }

  #pick(name: string): void {
    const entry = LOSSES.find((loss) => loss.name === name)!;
    byId("about").textContent = entry.about;
    const values = showParameters(byId("parameters"), entry.parameters, (values) => {
      this.#task = { ...this.#task, values };
      this.#later();
    });
    byId("defaults").hidden = Object.keys(entry.parameters).length === 0;
    this.#task = { ...this.#task, entry, values };
    this.#later();
  }

  #use(cells: Cells): void {
    byId("source").textContent = `${cells.source}.`;
    byId("simulated").hidden = cells.motion !== undefined;
    this.#task = { ...this.#task, cells };
    this.#later();
  }

  /** Computes when nothing has changed for a moment. */
  #later(): void {
    document.body.dataset.state = "waiting";
    this.#turn++;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#compute(), PATIENCE_MS);
  }

  async #compute(): Promise<void> {
    const turn = this.#turn;
    const task = this.#task;
    const missing = missingFor(task.entry, task.cells);
    byId("missing").textContent = missing ?? "";
    byId("missing").hidden = missing === undefined;
    byId("check").hidden = byId("training").hidden = missing !== undefined;
    if (missing !== undefined) {
      await this.#training.clear();
    } else {
      await this.#check(task, turn);
      if (turn !== this.#turn) return;
      void this.#training.start(task, this.#gpu, this.#settings);
    }
    document.body.dataset.state = "ready";
  }

  async #check(task: Task, turn: number): Promise<void> {
    const result = byId("check-result");
    try {
      const point = samplePoint(task);
      const check = checkPoint(task, point);
      result.replaceChildren(
        ...checkElements(task.entry, check, this.#gpu ? undefined : this.#noGpu),
      );
      if (this.#gpu === undefined) return;
      const outcome = await computeOn(point, check, this.#gpu)
        .catch((error: Error) => `WebGPU could not compute it: ${error.message}`);
      if (turn === this.#turn) {
        result.replaceChildren(...checkElements(task.entry, check, outcome));
      }
    } catch (error) {
      result.replaceChildren(paragraph("note", (error as Error).message));
    }
  }
}

void new Page().open();
