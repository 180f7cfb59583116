import { describeSession } from '../contract/session.ts';
import { createTableSession } from '../support/table-session.ts';

const tokens = Int32Array.of(5, 9, 2, 33, 7, 7, 18, 60, 1, 40, 22, 11);

describeSession('a table', { open: async () => createTableSession({ contextLength: 32 }), tokens });
describeSession('a table that takes one sequence a step', {
  open: async () => createTableSession({ contextLength: 32, sequencesPerStep: 1, tokensPerStep: 5 }),
  tokens,
});
describeSession('a table with pages', {
  open: async () => createTableSession({ contextLength: 32, pageTokens: 4 }),
  tokens,
});
