import { z } from 'zod';

/** Shared by the route, which holds the model to it, and the page, which shows it while it grows. */
export const recipeSchema = z.object({
  name: z.string().max(60),
  servings: z.int().min(1).max(12),
  difficulty: z.enum(['easy', 'medium', 'hard']),
  // Limits of lengths are for small models, which do not always find an end.
  ingredients: z.array(z.string().max(40)).min(3).max(8),
  steps: z.array(z.string().max(100)).min(3).max(6),
});
