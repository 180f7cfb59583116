import type { LoadOptions, Metadata, Model, TensorTable } from 'rivulet';

import type { ModelDescription, SubjectPlan } from './job.ts';
import { makeText } from './prompts.ts';
import { weightBytesPerToken } from './weight-bytes.ts';

/** Ids that prompts are cut from; twice the longest prompt. */
const idCount = 8192;

/** What rivulet says about the file. This loads the model once, so weights to be repacked are repacked here. */
export async function describeModel(
  path: string,
  plan: SubjectPlan & { kind: 'rivulet' },
): Promise<ModelDescription> {
  const { inspectModel, loadModel } = await import('rivulet');
  const { metadata, tensors } = await inspectModel(path);
  const { kind: _kind, ...options } = plan;
  const model = await loadModel(path, options as LoadOptions);
  try {
    return describe(model, metadata, tensors);
  } finally {
    await model.dispose();
  }
}

function describe(model: Model, metadata: Metadata, tensors: TensorTable): ModelDescription {
  const { info } = model;
  const experts = {
    used: metadata.optionalNumber(`${info.architecture}.expert_used_count`) ?? 0,
    all: metadata.optionalNumber(`${info.architecture}.expert_count`) ?? 0,
  };
  const ids = model.tokenize(makeText(idCount));
  if (ids.length < idCount) throw new Error(`Expected at least ${idCount} tokens, found ${ids.length}.`);
  const [begin] = model.tokenize('', { addSpecial: true });
  return {
    name: info.name ?? info.id,
    architecture: info.architecture,
    quantization: info.quantization,
    parameters: info.parameters,
    fileBytes: info.fileBytes,
    contextLength: info.contextLength,
    threads: info.engine?.threads ?? 1,
    bytesPerToken: weightBytesPerToken(tensors, experts.all === 0 ? undefined : experts),
    ids: Array.from(ids.subarray(0, idCount)),
    ...(begin === undefined ? {} : { begin }),
  };
}
