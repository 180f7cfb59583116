import type { z } from 'zod/v4';

/** What is wrong with a value, each place by its path: `reasoning.maxTokens: expected number, …`. */
export function describeIssues(issues: readonly z.core.$ZodIssue[]): string {
  return issues.map((issue) => describeIssue(issue, [])).join('; ');
}

function describeIssue(issue: z.core.$ZodIssue, parent: readonly PropertyKey[]): string {
  const path = [...parent, ...issue.path];
  const [first = [], ...others] = issue.code === 'invalid_union' ? nearestBranches(issue.errors) : [];
  // One of the shapes was meant, so what is wrong lies deeper than the choice between them.
  if (first.length > 0 && others.length === 0)
    return first.map((each) => describeIssue(each, path)).join('; ');
  return path.length === 0 ? issue.message : `${path.map(String).join('.')}: ${issue.message}`;
}

/** Those with the fewest issues, of these the ones whose first issue lies deepest. */
function nearestBranches(branches: readonly z.core.$ZodIssue[][]): readonly z.core.$ZodIssue[][] {
  const fewest = Math.min(...branches.map((issues) => issues.length));
  const near = branches.filter((issues) => issues.length === fewest);
  const depthOf = ([issue]: z.core.$ZodIssue[]): number => issue?.path.length ?? 0;
  const deepest = Math.max(...near.map(depthOf));
  return near.filter((issues) => depthOf(issues) === deepest);
}
