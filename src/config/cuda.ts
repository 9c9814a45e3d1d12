import { z } from 'zod';
import { size } from './units.js';

/** How models run on GPUs: the defaults of warmswap.yaml, and what model.yaml says of one model. */

const MOST_BYTES = 2 ** 43;
const memoryLimit = size.refine(
  (bytes) => bytes > 0 && bytes <= MOST_BYTES,
  'expected 1 to 8192GiB',
);

const settings = {
  /** Of a GPU's memory, for what runs take. */
  memoryLimit: memoryLimit.optional(),
  arenaExtend: z.enum(['same-as-requested', 'next-power-of-two']),
  convAlgorithmSearch: z.enum(['heuristic', 'default', 'exhaustive']),
  tf32: z.boolean(),
  graphs: z.boolean(),
  /** What brings weights to a GPU. */
  loader: z.enum(['onnxruntime', 'direct']),
};

export const cudaDefaults = z.strictObject({
  ...settings,
  arenaExtend: settings.arenaExtend.default('same-as-requested'),
  convAlgorithmSearch: settings.convAlgorithmSearch.default('heuristic'),
  tf32: settings.tf32.default(true),
  graphs: settings.graphs.default(false),
  // Until `direct` has been measured on a GPU.
  loader: settings.loader.default('onnxruntime'),
});

export const cudaOfModel = z.strictObject(settings).partial();

export type CudaSettings = z.output<typeof cudaDefaults>;
