/**
 * The most memory that a process holds while something runs in it.
 *
 * @module
 */

/** Runs beside the measured code: the most memory that the process holds, looked at all the time. */
const WATCH = `
let peak = 0;
const look = () => peak = Math.max(peak, Deno.memoryUsage().rss);
setInterval(look, 2);
onmessage = () => postMessage(look());
`;

/** Starts to look; `peak` ends it, and gives the most bytes that were seen. */
export async function watchMemory(): Promise<{ peak: () => Promise<number> }> {
  const url = `data:application/javascript,${encodeURIComponent(WATCH)}`;
  const worker = new Worker(url, { type: "module" });
  const peak = () =>
    new Promise<number>((resolve, reject) => {
      worker.onmessage = ({ data }) => resolve(data);
      worker.onerror = reject;
      worker.postMessage(null);
    });
  await peak();
  return { peak: () => peak().finally(() => worker.terminate()) };
}
