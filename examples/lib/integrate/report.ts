/** The report of an integration: one self-contained HTML file. */
import { formatCount, formatMetric } from "../format.ts";
import { type Markup, markup } from "../html.ts";
import { reportPage, settingsSection, tiles } from "../report_parts.ts";
import type { Measures } from "./measures.ts";
import type { IntegrationResult } from "./result.ts";
import { ablationSection, cloudSection, lossSection, measureSection } from "./sections.ts";

export function integrationReport(result: IntegrationResult): string {
  const { source, shape: [cells, genes], typeNames, batchNames } = result;
  return reportPage(
    "Batches mixed, cell types apart",
    markup`<p class="quiet">${source} · ${formatCount(cells)} cells · ${formatCount(genes)} genes ·
${typeNames.length} types · ${batchNames.length} batches</p>
${note(result)}`,
    [
      markup`<p>A small network learns an embedding of cells under scGPT’s objective for integration: it predicts
hidden genes (MLM), all genes from the embedding alone (MVC), and whether genes are expressed at all;
it pushes cells apart (ECS); and it hides the batch from a discriminator (DAB). It is scGPT’s
transformer at a small size, and it starts from nothing, not from 33 million cells.</p>`,
      numbers(result),
      measureSection(result),
      cloudSection(result),
      ablationSection(result),
      lossSection(result),
      settingsSection(result.settings),
    ],
  );
}

function note({ origin }: IntegrationResult): Markup | undefined {
  if (origin === "simulated") {
    return markup`<p class="note"><strong>Simulated cells.</strong> Cells, types and batch effect come
from a random model, not from an experiment: they show how well the method works, nothing about
biology.</p>`;
  }
  if (origin === "synthetic") {
    return markup`<p class="note"><strong>Added batch effect.</strong> The cells are real, their batches
are not: cells were put into batches at random, and each gene of a batch was changed by a random
factor.</p>`;
  }
  return undefined;
}

/** The mean over the seeds, before and after. */
function change({ repeats }: IntegrationResult, key: keyof Measures): string {
  const mean = (when: "before" | "after") =>
    repeats.reduce((sum, repeat) => sum + repeat[when][key], 0) / repeats.length;
  return `${formatMetric(mean("before"))} → ${formatMetric(mean("after"))}`;
}

function numbers(result: IntegrationResult): Markup {
  const style = markup` style="grid-template-columns:repeat(auto-fit,minmax(190px,1fr))"`;
  return tiles(
    [
      [change(result, "ilisi"), "iLISI: batches mixed; 1 is best"],
      [change(result, "clisi"), "cLISI: types apart; 1 is best"],
      [change(result, "ari"), "ARI: clusters that are types; 1 is best"],
      [
        String(result.repeats.length),
        result.repeats.length === 1
          ? "seed; before → after"
          : "seeds; the numbers are their means, before → after",
      ],
    ],
    result.elapsedSeconds,
    style,
  );
}
