/**
 * What a worker of `cellLoader` does: it opens the file for itself, and makes batches of an epoch.
 *
 * @module
 */
import type { DType } from "../dtype.ts";
import { type AnnDataFile, type FileOrigin, openAnnData } from "./anndata.ts";
import { BatchMaker, type BatchRows, type MadeBatch } from "./batch_maker.ts";
import { openCells } from "./cells.ts";
import { windowOf } from "./epoch_order.ts";
import { type DataSource, receiveSource, type SentSource } from "./source.ts";

/** Where this module lies; another place, or none, where it was bundled. */
export const SERVICE_URL: string | undefined = import.meta.url;

/** What a worker is told first: how it opens the file. */
export interface FileTask extends Omit<FileOrigin, "source"> {
  /** Where the file lies. */
  readonly source: SentSource;
}

/** What a worker is told of an epoch. */
export interface EpochTask extends BatchRows {
  /** A layer instead of `X`. */
  readonly layer: string | undefined;
  /** What the matrix was when the file was opened first. */
  readonly shape: readonly [number, number];
  readonly dtype: DType;
  /** The number of the epoch. */
  readonly epoch: number;
  /** The worker's first window, and how many windows on its next one is. */
  readonly first: number;
  readonly stride: number;
}

/** What a worker is told: the file, then an epoch, then the number of each batch to make. */
export type BatchRequest = FileTask | EpochTask | number;

/** An error as threads send it to each other. */
export interface SentError {
  /** The class, where it is one of the language. */
  readonly name: string;
  /** What it says. */
  readonly message: string;
  /** What led to it. */
  readonly cause: SentError | undefined;
}

/** What a worker answers to the number of a batch. */
export type BatchAnswer = MadeBatch | { readonly error: SentError };

const ERRORS = [TypeError, RangeError, SyntaxError];

function sendError(error: unknown): SentError {
  if (!(error instanceof Error)) return { name: "", message: String(error), cause: undefined };
  const { message, cause } = error;
  const name = ERRORS.find((type) => error instanceof type)?.name ?? "";
  return { name, message, cause: cause === undefined ? undefined : sendError(cause) };
}

/** An error that came from another thread. */
export function receiveError({ name, message, cause }: SentError): Error {
  const type = ERRORS.find((type) => type.name === name) ?? Error;
  return new type(message, cause && { cause: receiveError(cause) });
}

function open({ source, opener, options }: FileTask): Promise<AnnDataFile> {
  const given = receiveSource(source) as DataSource;
  return (opener === "openCells" ? openCells : openAnnData)(given, options);
}

/** What makes the batches of an epoch, of the matrix that the file had when it was opened first. */
async function makerOf(file: AnnDataFile, task: EpochTask): Promise<BatchMaker> {
  const { layer, shape, dtype, epoch } = task;
  const isSame = file.nObs === shape[0] && file.nVars === shape[1];
  const matrix = layer === undefined ? file.X : await file.layer(layer);
  if (isSame && matrix.dtype === dtype) return new BatchMaker({ ...task, matrix }, epoch);
  throw new Error(`Cannot read "${file.path}" as it has changed since it was opened`);
}

/**
 * Serves a file's epochs, one after the other.
 *
 * @param post Sends an answer, and hands over the memory of its arrays.
 * @returns What takes requests; the numbers among them are answered in order.
 */
export function serve(
  post: (answer: BatchAnswer, transfer: ArrayBufferLike[]) => void,
): (request: BatchRequest) => void {
  let file: Promise<AnnDataFile>;
  let epoch: EpochTask & { readonly maker: Promise<BatchMaker> };
  let last: Promise<unknown> = Promise.resolve();
  // What is wrong with a window that is read before it is needed is told with its batches.
  const readAhead = async ({ maker }: typeof epoch, window: number) => {
    await maker.then((maker) => maker.read(window)).catch(() => {});
  };
  const answer = async (current: typeof epoch, number: number) => {
    const { plan, stride, maker } = current;
    try {
      const { rows, x } = await (await maker).make(number);
      const arrays = ArrayBuffer.isView(x) ? [x] : [x.data, x.indices, x.indptr];
      post({ rows, x }, [rows, ...arrays].map(({ buffer }) => buffer));
    } catch (error) {
      post({ error: sendError(error) }, []);
    }
    const window = windowOf(plan, number);
    if (windowOf(plan, number + 1) > window) await readAhead(current, window + stride);
  };
  const then = (act: () => Promise<unknown>) => last = last.then(act);
  return (request) => {
    if (typeof request === "number") {
      const current = epoch;
      then(() => answer(current, request));
    } else if ("source" in request) {
      file = open(request);
      file.catch(() => {});
    } else {
      const current = { ...request, maker: file.then((file) => makerOf(file, request)) };
      epoch = current;
      then(() => readAhead(current, request.first));
    }
  };
}
