import { functionaryChannels, harmonyChannels } from '../../src/chat/formats/channel-formats.ts';
import * as json from '../../src/chat/formats/json-formats.ts';
import { knownFormats } from '../../src/chat/formats/known-formats.ts';
import * as named from '../../src/chat/formats/named-formats.ts';
import * as other from '../../src/chat/formats/other-formats.ts';
import * as tagged from '../../src/chat/formats/tagged-formats.ts';
import { answerFormat } from '../../src/chat/output/read-answer.ts';
import type { AnswerFormat } from '../../src/chat/output/read-answer.ts';
import type { OutputFormat, ToolFormat } from '../../src/chat/tool-format.ts';
import type { ToolCallCase } from './tool-call-cases.ts';

const thinkFormats: Readonly<Record<string, readonly [string, string]>> = {
  'mistral-v11': ['[THINK]', '[/THINK]'],
  'seed-oss': ['<seed:think>', '</seed:think>'],
  'command-r7b': ['<|START_THINKING|>', '<|END_THINKING|>'],
  apertus: ['<|inner_prefix|>', '<|inner_suffix|>'],
};

const toolFormats: Readonly<Record<string, ToolFormat>> = {
  hermes: json.hermes,
  'granite-4': json.hermes,
  'phi-4-mini': json.phi4Mini,
  xlam: json.xlam,
  llama3: json.llama3,
  'llama4-pythonic': other.llama4,
  'mistral-v3': json.mistralList,
  'mistral-v11': named.mistralNamed,
  'qwen3-coder': tagged.qwen3Coder,
  'glm-4.5': knownFormats.find(({ includes }) => includes.includes('<arg_key>'))?.tools?.[0] ?? json.hermes,
  harmony: named.harmony,
  'deepseek-v3.1': named.deepSeekV31,
  'deepseek-r1': named.deepSeekR1,
  'deepseek-v3': named.deepSeekR1,
  'kimi-k2': named.kimiK2,
  granite: json.granite3,
  'minimax-m2': tagged.minimaxM2,
  lfm2: other.lfm2,
  gemma: other.gemma3,
  'gemma-4': other.gemma4,
  'gemma-function': other.functionGemma,
  'nemotron-nano-v2': json.nemotron,
  'seed-oss': tagged.seedOss,
  'command-r7b': json.commandR7b,
  'command-r-plus': json.commandRPlus,
  'functionary-v3.1': named.functionTag,
  'functionary-v3.2': named.functionaryLines,
  apertus: json.apertus,
  'firefunction-v2': json.fireFunction,
};

/** The format that a case of written.json is named after. */
export function writtenFormat(name: string): { readonly output: OutputFormat; readonly tools: ToolFormat } {
  const tools = toolFormats[name];
  if (tools === undefined) throw new Error(`no format for ${name}`);
  const [open = '<think>', close = '</think>'] = thinkFormats[name] ?? [];
  const channels =
    name === 'harmony' ? harmonyChannels : name === 'functionary-v3.2' ? functionaryChannels : undefined;
  return {
    tools,
    output: {
      reasoning: { open, close },
      ...(channels === undefined ? {} : { channels }),
      ...(name === 'command-r7b'
        ? { answer: { open: '<|START_RESPONSE|>', close: '<|END_RESPONSE|>' } }
        : {}),
    },
  };
}

export function writtenAnswerFormat({ format = '' }: ToolCallCase): AnswerFormat {
  const { output, tools } = writtenFormat(format);
  return answerFormat(output, tools);
}
