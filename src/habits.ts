/**
 * Names of options that other libraries use, and the nearest of ours.
 *
 * @module
 */

/** Names in NumPy, PyTorch, JAX, Keras, scanpy, …, without case and underscores, and what is meant. */
const HABITS: Readonly<Record<string, readonly string[]>> = {
  abstol: ["atol"],
  alpha: ["negativeSlope", "scale", "final", "quantile"],
  applysoftmax: ["activation"],
  ascending: ["descending"],
  attnmask: ["mask"],
  axes: ["axis"],
  b1: ["beta1"],
  b2: ["beta2"],
  backend: ["device"],
  background: ["includeBackground"],
  bandwidth: ["bandwidths"],
  batch: ["perSample", "batchKey"],
  batchdice: ["perSample"],
  batchsize: ["rows"],
  beta: ["shift", "klWeight", "beta1", "delta"],
  betas: ["beta1 and beta2"],
  bias: ["shift"],
  bins: ["nBins"],
  blocksize: ["rows"],
  blur: ["epsilon"],
  boundaries: ["milestones"],
  buffersize: ["window"],
  ceweight: ["crossEntropyWeight"],
  checkvalues: ["check"],
  chunks: ["rows"],
  classweight: ["weight"],
  classweights: ["weight"],
  coeff: ["lambda"],
  collatefn: ["transform"],
  constantvalues: ["value"],
  covcoeff: ["covariance"],
  ddof: ["correction"],
  debugnans: ["checkNaN"],
  decay: ["weightDecay", "factor"],
  decayrate: ["factor", "alpha"],
  decaysteps: ["steps"],
  dhid: ["feedForward"],
  dim: ["axis"],
  dimfeedforward: ["feedForward"],
  dims: ["axis"],
  dobg: ["includeBackground"],
  donateargnums: ["donate"],
  droplast: ["drop"],
  dropout: ["rate"],
  dropremainder: ["drop"],
  embeddim: ["dModel"],
  endvalue: ["final"],
  eps: ["epsilon", "smooth"],
  etamin: ["final"],
  fillvalue: ["value"],
  fromlogits: ["activation"],
  gamma: ["factor", "scale"],
  gammaneg: ["gammaNegative"],
  gammapos: ["gammaPositive"],
  gpu: ["device"],
  high: ["max"],
  hx: ["state"],
  ignorelabel: ["ignoreIndex"],
  indices: ["rows"],
  indims: ["inAxes"],
  initvalue: ["initial"],
  iter: ["iterations"],
  k: ["nNeighbors", "perplexity", "topK", "diagonal"],
  l2: ["weightDecay"],
  lambda: ["scale", "weightDecay"],
  lambdace: ["crossEntropyWeight"],
  lambdadice: ["diceWeight"],
  layernormeps: ["epsilon"],
  lengthscale: ["bandwidths"],
  lmbda: ["lambda"],
  loc: ["mean"],
  low: ["min"],
  lower: ["low", "min"],
  lr: ["learningRate"],
  lrdecay: ["learningRateDecay"],
  m: ["margin"],
  max: ["high"],
  maxiter: ["max", "iterations"],
  maxsteps: ["max"],
  maxval: ["max", "high"],
  min: ["low"],
  mindisp: ["minDispersion"],
  miner: ["mining"],
  minval: ["min", "low"],
  mode: ["activation"],
  mrg: ["margin"],
  mu: ["mean"],
  nbins: ["bins"],
  ncomponents: ["components"],
  ncomps: ["components"],
  nhead: ["heads"],
  nheads: ["heads"],
  nlayers: ["layers"],
  nprojections: ["projections"],
  ntopgenes: ["top"],
  numheads: ["heads"],
  numitermax: ["iterations"],
  numlayers: ["layers"],
  numreplicas: ["ranks"],
  numworkers: ["prefetch"],
  offset: ["diagonal"],
  ord: ["order", "p"],
  otheract: ["activation"],
  outdims: ["outAxes"],
  p: ["rate", "weights"],
  peakvalue: ["learningRate"],
  posweight: ["positiveWeight", "weight"],
  prefetchfactor: ["prefetch"],
  ps: ["p"],
  rate: ["learningRate", "scale", "dropout"],
  reduce: ["reduction", "combine"],
  reg: ["epsilon"],
  regm: ["reach"],
  reltol: ["rtol"],
  replacement: ["replace"],
  reverse: ["descending"],
  s: ["scale"],
  sampleweight: ["weights", "weight"],
  sampleweights: ["weights", "weight"],
  sampling: ["spacing"],
  scale: ["standardDeviation"],
  shufflebuffer: ["window"],
  sigma: ["standardDeviation", "bandwidths"],
  sigmas: ["bandwidths"],
  sigmoid: ["activation"],
  simcoeff: ["invariance"],
  size: ["shape"],
  sizeaverage: ["reduction"],
  slope: ["negativeSlope"],
  smallest: ["largest"],
  smoothfactor: ["labelSmoothing"],
  softmax: ["activation"],
  squaredpred: ["squared"],
  srckeypaddingmask: ["keyPaddingMask"],
  srcmask: ["mask"],
  std: ["standardDeviation"],
  stdcoeff: ["variance"],
  stddev: ["standardDeviation"],
  stopthr: ["tolerance"],
  t: ["temperature"],
  tau: ["temperature", "quantile"],
  tmax: ["steps"],
  tol: ["atol", "rtol", "tolerance"],
  tolerance: ["atol", "rtol"],
  totaliters: ["steps"],
  totalsteps: ["steps"],
  train: ["training"],
  transitionsteps: ["steps"],
  tripletsperanchor: ["mining"],
  type: ["dtype"],
  typeoftriplets: ["mining"],
  unbiased: ["correction: 1"],
  upper: ["high", "max"],
  usesoftmax: ["activation"],
  wd: ["weightDecay"],
  weightce: ["crossEntropyWeight"],
  weightdice: ["diceWeight"],
  workers: ["threads", "prefetch"],
  worldsize: ["ranks"],
  wrt: ["argnums"],
};

/** The option that is likely meant by a name that is none: by habit, else by its letters. */
export function nearestOption(name: string, options: readonly string[]): string | undefined {
  const letters = plain(name);
  const same = options.find((option) => plain(option) === letters);
  if (same !== undefined) return same;
  const habit = Object.hasOwn(HABITS, letters) ? HABITS[letters]! : [];
  const meant = habit.find((text) => options.includes(text.match(/^\w+/)![0]));
  return meant ?? nearestByLetters(letters, options);
}

function plain(name: string): string {
  return name.toLowerCase().replaceAll(/[_-]/g, "");
}

/** The option with the fewest changed letters: at most one in three, or a part of the name. */
function nearestByLetters(letters: string, options: readonly string[]): string | undefined {
  let [nearest, least]: [string | undefined, number] = [undefined, Infinity];
  for (const option of options) {
    const other = plain(option);
    const short = Math.min(letters.length, other.length);
    const isPart = (short >= 3 && other.startsWith(letters)) ||
      (short >= 4 && (other.includes(letters) || letters.includes(other)));
    const changes = Math.min(isPart ? 1.5 : Infinity, editDistance(letters, other));
    if (changes < least && (isPart || changes <= Math.max(letters.length, other.length) / 3)) {
      [nearest, least] = [option, changes];
    }
  }
  return nearest;
}

/** How many letters must be added, dropped or changed to make one word of the other. */
function editDistance(a: string, b: string): number {
  if (Math.abs(a.length - b.length) > 8) return Infinity;
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const changed = row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(changed, row[j]! + 1, next[j - 1]! + 1));
    }
    row = next;
  }
  return row[b.length]!;
}
