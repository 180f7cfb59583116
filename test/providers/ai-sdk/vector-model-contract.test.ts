import { local } from '../../../providers/ai-sdk/index.ts';
import { local as localV3 } from '../../../providers/ai-sdk/v3/index.ts';
import { describeEmbeddingModel, describeRerankingModel } from '../../contract/vector-models.ts';
import type { ContractEmbeddingModel, ContractRerankingModel } from '../../contract/vector-models.ts';
import { conformanceModelPath } from '../../support/conformance-model.ts';

const encoder = conformanceModelPath('bert');
const reranker = conformanceModelPath('bert-rerank');

describeEmbeddingModel('EmbeddingModelV4', {
  version: 'v4',
  open: async () => local.embeddingModel(encoder),
});
describeRerankingModel('RerankingModelV4', {
  version: 'v4',
  open: async () => local.rerankingModel(reranker),
});

// Version 3 declares JSON values writable: the same values, another type.
describeEmbeddingModel('EmbeddingModelV3', {
  version: 'v3',
  open: async () => localV3.embeddingModel(encoder) as unknown as ContractEmbeddingModel,
});
describeRerankingModel('RerankingModelV3', {
  version: 'v3',
  open: async () => localV3.rerankingModel(reranker) as unknown as ContractRerankingModel,
});
