import { scriptedModel } from '../../src/testing.ts';
import type { ScriptedModel, ScriptedPiece } from '../../src/testing.ts';
import { thinkTemplate } from '../providers/think-template.ts';
import type { ContractCase, ContractModel, LanguageModelSubject } from './language-model.ts';

const tools = ['add', 'find'].map((name) => ({
  type: 'function' as const,
  name,
  inputSchema: { type: 'object' as const },
}));

const callOf = (name: string): string[] => [
  '<tool_call>\n{"name": ',
  `"${name}", "argu`,
  'ments": {"a": 1,',
  ' "b": "x"}}\n</tool_',
  'call>',
];

export interface ContractScript {
  readonly pieces: readonly ScriptedPiece[];
  readonly finish: ContractCase['finish'];
  readonly content: readonly string[];
  readonly withTools?: boolean;
  readonly maxOutputTokens?: number;
}

/** The shapes that an answer can have, as pieces of raw text. */
export const contractScripts: Readonly<Record<string, ContractScript>> = {
  text: { pieces: ['Hel', 'lo'], finish: 'stop', content: ['text'] },
  'nothing at all': { pieces: [], finish: 'stop', content: [] },
  'thoughts, then text': {
    pieces: ['<think>', 'hm', ', yes', '</think>', '\n\n', '42'],
    finish: 'stop',
    content: ['reasoning', 'text'],
  },
  'thoughts only': { pieces: ['<think>', 'hm', '</think>'], finish: 'stop', content: ['reasoning'] },
  'empty thoughts': {
    pieces: ['<think>', '\n\n', '</think>', '\n\n', '42'],
    finish: 'stop',
    content: ['text'],
  },
  'thoughts that are cut': {
    pieces: ['<think>', 'hm', ' hm', ' hm', '</think>', '42'],
    finish: 'length',
    content: ['reasoning'],
    maxOutputTokens: 3,
  },
  'two calls': {
    pieces: [...callOf('add'), '\n', ...callOf('find')],
    finish: 'tool-calls',
    content: ['tool-call'],
    withTools: true,
  },
  'thoughts, text and a call': {
    pieces: ['<think>', 'hm', '</think>', 'Let me ', 'see.\n', ...callOf('add')],
    finish: 'tool-calls',
    content: ['reasoning', 'text', 'tool-call'],
    withTools: true,
  },
  'a call without arguments': {
    pieces: ['<tool_call>\n{"name": "add", "arguments": {}}', '\n</tool_call>'],
    finish: 'tool-calls',
    content: ['tool-call'],
    withTools: true,
  },
  'a call that is cut': {
    pieces: callOf('add'),
    finish: 'length',
    content: [],
    withTools: true,
    maxOutputTokens: 3,
  },
  'a marker that begins no call': {
    pieces: ['One <tool', '_call', '> is a tag.'],
    finish: 'stop',
    content: ['text'],
    withTools: true,
  },
  'a character in two pieces': {
    pieces: ['caf', Uint8Array.of(0xc3), Uint8Array.of(0xa9), '!'],
    finish: 'stop',
    content: ['text'],
  },
};

const numbers = Array.from({ length: 1000 }, (_, index) => `${index} `);

/** Every case with a scripted engine, seen through `wrap`. */
export function scriptedSubject(
  version: LanguageModelSubject['version'],
  wrap: (model: ScriptedModel) => ContractModel,
): LanguageModelSubject {
  const scripted = new Map<ContractModel, ScriptedModel>();
  const open = (model: ScriptedModel): ContractModel => {
    const wrapped = wrap(model);
    scripted.set(wrapped, model);
    return wrapped;
  };
  const cases = Object.entries(contractScripts).map(([name, script]): [string, ContractCase] => {
    const { pieces, withTools, maxOutputTokens, ...rest } = script;
    const options = {
      ...(withTools === true ? { tools, toolChoice: { type: 'auto' as const } } : {}),
      ...(maxOutputTokens === undefined ? {} : { maxOutputTokens }),
    };
    return [
      name,
      {
        ...rest,
        open: async () => ({
          model: open(scriptedModel({ chatTemplate: thinkTemplate, outputs: [pieces, pieces] })),
          options,
        }),
      },
    ];
  });
  return {
    version,
    cases: Object.fromEntries(cases),
    long: async () => ({ model: open(scriptedModel({ outputs: [numbers, numbers], delayMs: 20 })) }),
    slowPrefill: async () => ({ model: open(scriptedModel({ outputs: [['a']], prefillMs: 60_000 })) }),
    running: (model) =>
      (scripted.get(model)?.requests ?? []).filter(({ state }) => state === 'running').length,
  };
}
