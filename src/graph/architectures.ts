import type { ArchitectureRow } from './architecture-row.ts';

const neighbours = { ropePairs: 'neighbours' } as const;
const halves = { ropePairs: 'halves' } as const;
const layerNorm = { norm: 'layer' } as const;
const gelu = { activation: 'gelu' } as const;
const gemma = { ...halves, ...gelu, scalesEmbedding: true } as const;
const granite = { ...neighbours, dividesLogits: true, finetunedSwitchesRope: true } as const;
/** Windowed layers keep the rotation that the model was first trained with. */
const trainedWindows = { ropeBase: 10000, ropeUnscaled: true } as const;

const dense: Readonly<Record<string, ArchitectureRow>> = {
  llama: { ...neighbours, expertWeights: 'normalized' },
  mistral: { ...neighbours, windows: { period: 0 } },
  mistral3: {
    ...neighbours,
    temperature: 'told',
    yarnRamp: { fast: 32, slow: 1 },
    expertWeights: 'normalized',
  },
  arcee: { ...neighbours, activation: 'relu-squared' },
  baichuan: { ...neighbours, alibi: { maximumBias: 8, layers: 40 } },
  chatglm: neighbours,
  'command-r': { ...neighbours, ...layerNorm },
  cohere2: { ...neighbours, ...layerNorm, windows: { period: 4 }, rotates: 'windowed' },
  deci: neighbours,
  ernie4_5: neighbours,
  glm4: neighbours,
  granite,
  internlm2: neighbours,
  minicpm: {
    ...neighbours,
    dividesLogits: true,
    scaleDefaults: { embedding: 12, depth: 1.4, logitsOverEmbedding: 256 },
  },
  olmo: { ...neighbours, ...layerNorm, unweightedNorms: true },
  smollm3: { ...neighbours, unrotatedPeriod: 4 },
  xverse: neighbours,

  apertus: halves,
  codeshell: { ...halves, ...layerNorm, ...gelu },
  exaone: halves,
  exaone4: {
    ...halves,
    windows: { period: 4, layers: 64, defaultLength: 4096 },
    rotates: 'windowed',
  },
  falcon: { ...halves, ...layerNorm, ...gelu },
  gemma,
  gemma2: {
    ...gemma,
    windows: { period: 2, defaultLength: 4096 },
    scoreScale: { embeddingPerHeadAt: 46 },
    scaleDefaults: { scoreSoftcap: 50, logitSoftcap: 30 },
  },
  gemma3: { ...gemma, windows: { period: 6, ...trainedWindows }, scoreScale: { embeddingPerHeadAt: 62 } },
  gemma3n: {
    ...gemma,
    windows: { period: 5, ...trainedWindows },
    scoreScale: 'one',
    normsValues: true,
    cachingLayers: 20,
    gatePeaks: { layers: 10, deviations: 1.6448533535003662 },
    scaleDefaults: { logitSoftcap: 30 },
  },
  gemma4: {
    ...gemma,
    scaleDefaults: { logitSoftcap: 30 },
    windows: { period: 0, ...trainedWindows },
    scoreScale: 'one',
    normsValues: true,
  },
  gptneox: { ...halves, ...layerNorm, ...gelu, readsParallelResidual: true },
  'hunyuan-dense': { ...halves, normsAfterRotation: true },
  nemotron: { ...halves, ...layerNorm, activation: 'relu-squared' },
  olmo2: { ...halves, windows: { period: 4, ropeUnscaled: true } },
  openelm: halves,
  orion: { ...halves, ...layerNorm },
  phi2: { ...halves, ...layerNorm, ...gelu },
  phi3: halves,
  plamo3: { ...halves, windows: { period: 8, ...trainedWindows } },
  qwen: halves,
  qwen2: halves,
  qwen2vl: halves,
  qwen3: halves,
  qwen3vl: halves,
  seed_oss: halves,
  stablelm: { ...halves, ...layerNorm },
  starcoder2: { ...halves, ...layerNorm, ...gelu },

  bloom: { ...layerNorm, ...gelu, alibi: { maximumBias: 8 } },
  gpt2: { ...layerNorm, ...gelu },
  jais: { ...layerNorm, scoreScale: 'inverse-head' },
  mpt: { ...layerNorm, ...gelu },
  refact: { alibi: { maximumBias: 8 } },
  starcoder: { ...layerNorm, ...gelu },
};

const mixtures: Readonly<Record<string, ArchitectureRow>> = {
  afmoe: {
    ...halves,
    scalesEmbedding: true,
    windows: { period: 4 },
    unrotatedPeriod: 4,
    expertGate: 'sigmoid',
  },
  arctic: { ...neighbours, expertWeights: 'normalized' },
  bailingmoe: { ...neighbours, scoreScale: 'rotated' },
  bailingmoe2: halves,
  cohere2moe: {
    ...neighbours,
    norm: 'told',
    windows: { period: 4, openFirst: true },
    rotates: 'windowed-and-leading',
    expertGate: 'sigmoid',
    averagesSharedExpert: true,
  },
  dbrx: { ...halves, ...layerNorm, expertWeights: 'normalized' },
  deepseek: { ...neighbours, expertWeights: 'plain' },
  dots1: halves,
  'ernie4_5-moe': { ...neighbours, expertWeights: 'normalized' },
  'exaone-moe': { ...halves, windows: { period: 4, defaultLength: 128 }, rotates: 'windowed' },
  glm4moe: { ...halves, expertGate: 'sigmoid' },
  'gpt-oss': {
    ...halves,
    windows: { period: 2 },
    scoreScale: 'rotated',
    activation: 'gelu-quick',
    gateLimits: { gate: 7, up: 7, upOffset: 1 },
    expertGate: 'softmax-chosen',
    expertWeights: 'plain',
  },
  granitemoe: { ...granite, expertWeights: 'normalized' },
  grok: {
    ...halves,
    ...gelu,
    scaleDefaults: {
      embedding: 78.38367176906169,
      logits: 0.5773502691896257,
      scores: 0.08838834764831845,
      scoreSoftcap: 30,
    },
    yarnRamp: { fast: 8, slow: 1 },
    expertWeights: 'normalized',
  },
  'hunyuan-moe': { ...halves, normsAfterRotation: true, expertWeights: 'normalized' },
  laguna: {
    ...halves,
    windows: { period: 4, openFirst: true, ropeUnscaled: true },
    attentionGate: 'softplus',
    expertGate: 'sigmoid',
  },
  llama4: {
    ...neighbours,
    windows: { period: 4, defaultLength: 8192, fixedLength: 8192, chunked: true },
    rotates: 'windowed',
    unweightedHeadNorms: { exceptExperts: 128 },
    normsAfterRotation: true,
    temperature: { scale: 0.1, floorLength: 8192, offset: 1 },
    expertGate: 'sigmoid',
    expertWeights: 'plain',
    weighsExpertInput: true,
  },
  mellum: { ...halves, windows: { period: 4, ropeUnscaled: true }, expertWeights: 'normalized' },
  mimo2: {
    ...halves,
    windows: { period: 0, ...trainedWindows },
    expertGate: 'sigmoid',
    expertWeights: 'normalized',
  },
  'minimax-m2': { ...halves, expertWeights: 'normalized' },
  olmoe: { ...halves, expertWeights: 'plain' },
  phimoe: { ...halves, expertWeights: 'normalized' },
  qwen2moe: { ...halves, expertWeights: 'plain' },
  qwen3moe: { ...halves, expertWeights: 'normalized' },
  qwen3vlmoe: { ...halves, expertWeights: 'normalized' },
  smallthinker: {
    ...halves,
    windows: { period: 4, openFirst: true, fixedLength: 4096 },
    rotates: 'windowed',
    rotatesAllAt: 4,
    activation: 'relu',
    expertWeights: 'normalized',
    routesLayerInput: true,
  },
  step35: {
    ...halves,
    windows: { period: 0, ...trainedWindows },
    halvesOpenRotation: true,
    expertGate: 'sigmoid',
  },
};

const latent: Readonly<Record<string, ArchitectureRow>> = {
  deepseek2: { ...neighbours, temperature: 'told', yarnScalesScores: true },
  minicpm3: {
    ...halves,
    scaleDefaults: { embedding: 12, depth: 1.4, logitsOverEmbedding: 256 },
  },
};

const bert = { ...layerNorm, encodes: true, normsAfterResidual: true } as const;

/** Of files that hold a decoder too, only what reads. */
const t5Encoder = {
  ...gelu,
  encodes: true,
  stack: 'enc',
  scoreScale: 'one',
  ungatedActivation: 'relu',
} as const;

const encoders: Readonly<Record<string, ArchitectureRow>> = {
  bert: { ...bert, ...gelu },
  'nomic-bert': { ...bert, ...halves },
  'nomic-bert-moe': { ...bert, ...halves, ...gelu, expertWeights: 'plain' },
  'jina-bert-v2': { ...bert, ...gelu, alibi: { maximumBias: 8 } },
  'jina-bert-v3': { ...bert, ...halves, ...gelu },
  'modern-bert': {
    ...halves,
    ...layerNorm,
    ...gelu,
    encodes: true,
    windows: { period: 3, openFirst: true, ropeBase: 10000 },
    rankHead: { rows: 'mean', activation: 'gelu' },
  },
  'neo-bert': { ...neighbours, encodes: true },
  eurobert: { ...halves, encodes: true },
  'gemma-embedding': { ...gemma, encodes: true, windows: { period: 6, ...trainedWindows } },
  t5: t5Encoder,
  t5encoder: t5Encoder,
  'llama-embed': { ...neighbours, encodes: true },
};

/** All known architectures, by `general.architecture`. Facts as in llama.cpp's model loader and graphs. */
export const architectures: ReadonlyMap<string, ArchitectureRow> = new Map(
  [dense, mixtures, latent, encoders].flatMap((group) => Object.entries(group)),
);
