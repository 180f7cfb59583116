import { createLocal } from 'rivulet/ai-sdk';

/** Any reference that rivulet understands: a path, `hf:owner/repo:Q4_K_M`, an alias … */
export const modelReference = process.env['MODEL'] ?? 'smollm2';

/** Equal settings share one engine, so every route uses this provider. */
export const local = createLocal({ contextLength: 8192 });
