export { scriptedModel } from './testing/scripted-model.ts';
export type { ScriptedModel, ScriptedModelOptions } from './testing/scripted-model.ts';
export type { ScriptedPiece, ScriptedRequest } from './testing/scripted-engine.ts';
