import { z } from 'zod';

/** Shared by the route, which holds the model to it, and the page, which shows it while it grows. */
export const recipeSchema = z.object({
  name: z.string(),
  servings: z.int().min(1).max(12),
  difficulty: z.enum(['easy', 'medium', 'hard']),
  ingredients: z
    .array(z.object({ name: z.string(), amount: z.string() }))
    .min(2)
    .max(8),
  steps: z.array(z.string()).min(2).max(6),
});
