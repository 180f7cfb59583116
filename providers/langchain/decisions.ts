export { LocalDecisionModel } from './decision-model.ts';
export type { LocalDecisionModelInput } from './decision-model.ts';
