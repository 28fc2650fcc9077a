/** Which columns of a table are genes. */
/** Names, in small letters without marks, that tables give to what is no gene. */
const NO_GENES = new Set(
  ("cell cellid cellids cellname cellnames cellindex barcode barcodes index id ids obsnames " +
    "rowid rownames unnamed0 ncounts ncount totalcounts total totals sum nreads ngenes ngene numi numis " +
    "ngenesbycounts librarysize libsize sizefactor sizefactors doubletscore doubletscores " +
    "percentmito percentmt percentribo pctmito mitopercent sscore g2mscore phasescore " +
    "pseudotime dptpseudotime latenttime leiden louvain cluster clusterid clusters " +
    "seuratclusters batch batchid batches sample sampleid samples donor donorid patient " +
    "patientid replicate origident celltype celltypeid celltypes label labelid labels type " +
    "typeid group groupid age arrayrow arraycol xcoord ycoord").split(" "),
);

/** Coordinates of embeddings, and measures of quality with the name of what they count. */
const NO_GENE_FORMS: readonly RegExp[] = [
  /^(?:x_)?(?:umap|tsne|phate|lsi|harmony|scvi|diffmap|latent|component)[._ -]?(?:\d+|[xy])$/i,
  /^(?:x_)?(?:pca?|dc|ica|nmf)[._ -]\d+$/i,
  /^pc\d+$/i,
  /^n_?(?:counts?|features?|umis?|genes?)[._]/i,
  /^(?:log1p_)?(?:total_counts|n_genes|pct_counts|pct|percent)(?:[._]|$)/i,
];

/** Whether a table gives this name to what is no gene. */
function isNoGeneName(name: string): boolean {
  const bare = name.toLowerCase().replace(/[^a-z0-9]/g, "");
  return NO_GENES.has(bare) || NO_GENE_FORMS.some((form) => form.test(name.trim()));
}

/** Whether the numbers count the cells, from 0 or 1 on. */
function countsCells(values: Float64Array): boolean {
  const first = values[0]!;
  return values.length > 2 && (first === 0 || first === 1) &&
    values.every((value, cell) => value === first + cell);
}

/**
 * Whether the numbers are codes of the cells' names: the names themselves, whole numbers of which
 * each of three names or more has one, or 0 and 1, or 1 and 2. (A gene may tell two types apart.)
 */
function isCopy(values: Float64Array, names: readonly (string | undefined)[]): boolean {
  const codes = new Map<string, number>();
  for (const [cell, name] of names.entries()) {
    const value = values[cell]!;
    if (name === undefined) continue;
    if ((codes.get(name) ?? value) !== value) return false;
    codes.set(name, value);
  }
  const found = [...codes.values()].sort((a, b) => a - b);
  if (found.length < 2 || new Set(found).size < found.length) return false;
  const named = [...codes].every(([name, code]) => Number(name) === code);
  const first = found[0]!;
  const whole = found.every(Number.isInteger);
  const isPair = (first === 0 || first === 1) && found[1] === first + 1;
  return named || (whole && (found.length > 2 || isPair));
}

/** Why a column of numbers seems to be no gene, beside the names of the cells by column. */
export function noGene(
  name: string,
  values: Float64Array,
  labels: readonly { key: string; names: readonly (string | undefined)[] }[],
): string | undefined {
  if (countsCells(values)) return "counts the cells";
  const copied = labels.find(({ names }) => isCopy(values, names));
  if (copied !== undefined) return `a copy of ${copied.key}`;
  return isNoGeneName(name) ? "no gene by its name" : undefined;
}
