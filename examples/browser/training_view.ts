/** Training, live: curves of the devices, and what a step takes on each. */
/// <reference lib="dom" />
import { drawCurve } from "./curve.ts";
import { byId, element, formatNumber, paragraph, table } from "./dom.ts";
import type { Task } from "./model.ts";
import { createTrainer, type Trainer, type TrainingDevice } from "./training.ts";

const STEPS = 200;

/** How long a turn should take, and how many steps it has at most. */
const [TURN_MS, MOST_AT_A_TIME] = [80, 10];

interface Lane {
  name: "cpu" | "gpu";
  trainer: Trainer;
  losses: number[];
  /** What a step took, of all turns after the first, which warms up. */
  milliseconds: number[];
}

/** How training stands: `data-state` of its section. */
type State = "compiling" | "running" | "pausing" | "paused" | "done" | "failed" | "missing";

export class TrainingView {
  #lanes: Lane[] = [];
  #goal: number = STEPS;
  /** Changes with every start, so that what an earlier one left running ends. */
  #turn = 0;
  #state: State = "missing";
  readonly #button: HTMLButtonElement = element("button", {
    type: "button",
    class: "main",
    id: "train",
  });

  /** Adds the button to the form of settings. */
  constructor(settings: HTMLElement) {
    settings.append(this.#button);
    this.#button.addEventListener("click", () => this.#press());
    new ResizeObserver(() => this.#draw()).observe(byId("curve"));
  }

  /** Forgets the curves, as there is nothing to train. */
  async clear(): Promise<void> {
    this.#turn++;
    this.#set("missing");
    await this.#dispose();
    this.#draw();
  }

  async start(
    task: Task,
    gpu: TrainingDevice | undefined,
    options: { learningRate: number; hiddenUnits: number },
  ): Promise<void> {
    const turn = ++this.#turn;
    this.#set("compiling");
    this.#goal = STEPS;
    await this.#dispose();
    const devices: ["cpu" | "gpu", TrainingDevice][] = [["cpu", "cpu"]];
    if (gpu !== undefined) devices.push(["gpu", gpu]);
    try {
      for (const [name, device] of devices) {
        const trainer = await createTrainer(task, device, options);
        if (turn !== this.#turn) return await trainer[Symbol.asyncDispose]();
        this.#lanes.push({ name, trainer, losses: [], milliseconds: [] });
      }
      await this.#run(turn);
    } catch (error) {
      this.#fail(turn, error);
    }
  }

  async #dispose(): Promise<void> {
    const lanes = this.#lanes;
    this.#lanes = [];
    for (const { trainer } of lanes) await trainer[Symbol.asyncDispose]();
  }

  #press(): void {
    if (this.#state === "running") return this.#set("pausing");
    if (this.#state === "done") this.#goal += STEPS;
    const turn = ++this.#turn;
    this.#run(turn).catch((error) => this.#fail(turn, error));
  }

  async #run(turn: number): Promise<void> {
    this.#set("running");
    const [first] = this.#lanes;
    while (first!.losses.length < this.#goal) {
      const steps = Math.min(this.#stepsOfTurn(), this.#goal - first!.losses.length);
      for (const lane of this.#lanes) {
        const { losses, milliseconds } = await lane.trainer.train(steps);
        if (turn !== this.#turn) return;
        if (lane.losses.length > 0) lane.milliseconds.push(milliseconds);
        lane.losses.push(...losses);
      }
      this.#draw();
      if (this.#state === "pausing") return this.#set("paused");
      // Hidden pages get no frames, but go on.
      if (!document.hidden) await new Promise((done) => requestAnimationFrame(done));
      if (turn !== this.#turn) return;
    }
    this.#set("done");
  }

  /** As many steps as fit into a turn, from what they took last time. */
  #stepsOfTurn(): number {
    const times = this.#lanes.map(({ milliseconds }) => milliseconds.at(-1));
    if (times.includes(undefined)) return 1;
    const both = times.reduce((sum: number, time) => sum + time!, 0);
    return Math.min(Math.max(Math.round(TURN_MS / both), 1), MOST_AT_A_TIME);
  }

  #fail(turn: number, error: unknown): void {
    if (turn !== this.#turn) return;
    this.#set("failed");
    byId("training-result").replaceChildren(
      paragraph("note", `Training stopped: ${(error as Error).message}`),
    );
  }

  #set(state: State): void {
    this.#state = state;
    byId("training").dataset.state = state;
    const texts: Record<State, string> = {
      compiling: "Compiling …",
      running: "Pause",
      pausing: "Pausing …",
      paused: "Go on",
      done: `${STEPS} more steps`,
      failed: "Train",
      missing: "Train",
    };
    this.#button.textContent = texts[state];
    this.#button.disabled = !["running", "paused", "done"].includes(state);
  }

  #draw(): void {
    drawCurve(byId("curve"), this.#lanes, this.#goal);
    if (this.#state === "failed") return;
    const [cpu, gpu] = this.#lanes;
    byId("training-result").replaceChildren(lossTable(cpu, gpu), ...remarks(cpu, gpu));
  }
}

function lossTable(cpu: Lane | undefined, gpu: Lane | undefined): HTMLElement {
  const steps = element("span", { id: "train-steps" }, `${cpu?.losses.length ?? 0}`);
  const heads = [element("th", {}, "after ", steps, " steps"), "loss", "time per step"];
  return table(heads, [lossRow("cpu", "CPU", cpu), lossRow("gpu", "WebGPU", gpu)]);
}

function lossRow(id: string, where: string, lane: Lane | undefined): HTMLElement[] {
  const loss = lane?.losses.at(-1);
  const sorted = lane?.milliseconds.toSorted((a, b) => a - b) ?? [];
  const time = sorted[sorted.length >> 1];
  const cell = (name: string, text: string) => element("td", { id: `${name}-${id}` }, text);
  return [
    element("th", { scope: "row" }, where),
    cell("train", loss === undefined ? "–" : formatNumber(loss)),
    cell("time", time === undefined ? "–" : `${formatNumber(Number(time.toPrecision(2)))} ms`),
  ];
}

/** How far the devices are apart, and what is wrong with the losses. */
function remarks(cpu: Lane | undefined, gpu: Lane | undefined): HTMLElement[] {
  if (cpu === undefined || cpu.losses.length === 0) return [];
  const bad = cpu.losses.findIndex((loss) => !Number.isFinite(loss));
  if (bad >= 0) {
    const advice = "a smaller learning rate may help";
    return [paragraph("note", `The loss is not finite from step ${bad + 1} on: ${advice}.`)];
  }
  if (gpu === undefined || gpu.losses.length === 0) return [];
  const apart = differenceOf(cpu.losses, gpu.losses);
  const text = `The losses are at most ${formatNumber(apart)} of their range apart.`;
  return [paragraph("verdict", text, { id: "train-verdict", "data-apart": apart })];
}

/** How far two curves are apart at most, by the range of the first. */
export function differenceOf(a: readonly number[], b: readonly number[]): number {
  const count = Math.min(a.length, b.length);
  let [low, high, worst] = [Infinity, -Infinity, 0];
  for (let i = 0; i < count; i++) {
    low = Math.min(low, a[i]!);
    high = Math.max(high, a[i]!);
    worst = Math.max(worst, Math.abs(a[i]! - b[i]!));
  }
  return worst === 0 ? 0 : worst / Math.max(high - low, Math.abs(high) * 1e-6);
}
