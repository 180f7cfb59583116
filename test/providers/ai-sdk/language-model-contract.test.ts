import { local } from '../../../providers/ai-sdk/index.ts';
import { local as localV3 } from '../../../providers/ai-sdk/v3/index.ts';
import { describeLanguageModel } from '../../contract/language-model.ts';
import type { ContractModel } from '../../contract/language-model.ts';
import { scriptedSubject } from '../../contract/scripted-subject.ts';

describeLanguageModel(
  'LanguageModelV4, scripted',
  scriptedSubject('v4', (model) => local(model)),
);

// Version 3 declares JSON values writable: the same values, another type.
describeLanguageModel(
  'LanguageModelV3, scripted',
  scriptedSubject('v3', (model) => localV3(model) as unknown as ContractModel),
);
