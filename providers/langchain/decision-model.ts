import { BaseDecisionModel, parseClassifierResponse } from '@langchain/core/decisions';
import type { ClassifierResponse, Question, State } from '@langchain/core/decisions';
import type { RunnableConfig } from '@langchain/core/runnables';
import { sharedModel } from '#rivulet';
import type { SharedLoadOptions, SharedModel } from '#rivulet';
import type { Usage } from '../../src/events.ts';
import type { Model } from '../../src/model.ts';
import { pickLoadOptions } from './completion-options.ts';
import { readAnswer } from './decision-answer.ts';
import { describeQuestion } from './decision-question.ts';
import { addUsage, scoreLabels } from './score-labels.ts';
import { describeState } from './decision-state.ts';
import { convertUsage, modelProvider } from './response-metadata.ts';

export interface LocalDecisionModelInput extends Omit<SharedLoadOptions, 'signal'> {
  /** A reference (path, `hf:…`, alias, …) or a loaded model. */
  readonly model: string | Model;
}

/**
 * A local model that answers typed questions with probabilities. Each question is one prompt that ends where the
 * label of an answer comes next; the probabilities are the model's own for those labels, not words that it says about
 * them. All questions about one state share the work for it. `confidence` is the probability of the most
 * probable label.
 */
export class LocalDecisionModel extends BaseDecisionModel {
  override lc_namespace: string[] = ['rivulet', 'decisions'];
  readonly #shared: SharedModel;

  static override lc_name(): string {
    return 'LocalDecisionModel';
  }

  constructor(fields: LocalDecisionModelInput) {
    super({ model: typeof fields.model === 'string' ? fields.model : fields.model.info.id });
    this.#shared = sharedModel(fields.model, pickLoadOptions(fields));
  }

  override get _provider(): string {
    return modelProvider;
  }

  /** Loads the model ahead of the first request. */
  async preload(signal?: AbortSignal): Promise<this> {
    await this.#shared.acquire(signal);
    return this;
  }

  /** Frees the engine, for all who share it, once its streams have ended; the next request loads it again. */
  async dispose(): Promise<void> {
    await this.#shared.release();
  }

  /** @throws {RivuletError} `UNSUPPORTED` for boxes, media and more labels than one token can tell apart */
  override async _classify(
    state: State,
    questions: Record<string, Question>,
    config?: Partial<RunnableConfig>,
  ): Promise<ClassifierResponse> {
    const described = describeState(state);
    const asked = Object.entries(questions).map(
      ([id, question]) => [id, question, describeQuestion(question)] as const,
    );
    const model = await this.#shared.acquire(config?.signal);
    const answers: Record<string, unknown> = {};
    const usages: Usage[] = [];
    // One after the other: each finds the state, computed once, in the cache.
    for (const [id, question, { prompt, labels }] of asked) {
      const content = `${described}\n\n${prompt}`;
      const { probabilities, usage } = await scoreLabels(model, content, labels, config?.signal);
      answers[id] = readAnswer(question, probabilities);
      usages.push(usage);
    }
    return parseClassifierResponse({
      model: model.info.id,
      answers,
      usage_metadata: convertUsage(usages.reduce(addUsage)),
    });
  }
}
