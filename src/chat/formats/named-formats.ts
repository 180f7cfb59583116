import { idPlaceholder, indexPlaceholder } from '../tool-format.ts';
import type { ToolFormat, ToolReading, ToolWriting } from '../tool-format.ts';

/** The name between texts, then the arguments as JSON. */
function named(
  name: string,
  writing: Partial<ToolWriting> & Pick<ToolWriting, 'beforeName' | 'afterName' | 'afterArguments'>,
  reading: Omit<ToolReading, 'body'> & { readonly pattern: RegExp; readonly until?: readonly string[] },
): ToolFormat {
  const { pattern, until, ...others } = reading;
  const header = until === undefined ? { until: ['{'], keepsEnd: true, pattern } : { until, pattern };
  return {
    name,
    writing: {
      sectionOpen: '',
      separator: '',
      sectionClose: '',
      parallel: true,
      triggers: reading.opens.slice(0, 1),
      ...writing,
      arguments: { kind: 'json' },
    },
    reading: { ...others, body: { kind: 'named', header } },
  };
}

/** Functionary 3.1; Llama 3 writes its own functions in this way when it was told to. */
export const functionTag: ToolFormat = named(
  'function-tag',
  { beforeName: '<function=', afterName: '>', afterArguments: '</function>' },
  { opens: ['<function='], closes: ['</function>'], pattern: /^([\w.-]+)$/, until: ['>'] },
);

const mistralReading = {
  opens: ['[TOOL_CALLS]'],
  closes: [],
  pattern: /^\s*([\w.-]+)(?:\[CALL_ID\]\w*)?$/,
  until: ['[ARGS]'],
};

/** Mistral from the tokenizer's version 11 on, with an id for each call. */
export const mistralIds: ToolFormat = {
  ...named(
    'mistral-ids',
    { beforeName: '[TOOL_CALLS]', afterName: `[CALL_ID]${idPlaceholder}[ARGS]`, afterArguments: '' },
    mistralReading,
  ),
  ids: 'nine-alphanumeric',
};

export const mistralNamed: ToolFormat = {
  ...named(
    'mistral-named',
    { beforeName: '[TOOL_CALLS]', afterName: '[ARGS]', afterArguments: '' },
    mistralReading,
  ),
  ids: 'nine-alphanumeric',
};

const deepSeekOpens = [
  '<｜tool▁calls▁begin｜>',
  '<｜tool▁call▁begin｜>',
  // Spellings that the distilled models come up with.
  '<｜tool_calls_begin｜>',
  '<｜tool calls begin｜>',
];
const deepSeekCloses = ['<｜tool▁call▁end｜>', '<｜tool▁calls▁end｜>', '```<｜tool▁call▁end｜>', '```'];
const deepSeekHeader =
  /^\s*(?:<｜tool▁call▁begin｜>)?\s*(?:function<｜tool▁sep｜>)?([\w.-]+)\s*(?:<｜tool▁sep｜>|```json)?\s*$/;

/** DeepSeek V3 and R1 and their distilled models. */
export const deepSeekR1: ToolFormat = named(
  'deepseek-r1',
  {
    sectionOpen: '<｜tool▁calls▁begin｜>',
    beforeName: '<｜tool▁call▁begin｜>function<｜tool▁sep｜>',
    afterName: '\n```json\n',
    afterArguments: '\n```<｜tool▁call▁end｜>',
    separator: '\n',
    sectionClose: '<｜tool▁calls▁end｜>',
  },
  { opens: deepSeekOpens, closes: deepSeekCloses, pattern: deepSeekHeader },
);

export const deepSeekV31: ToolFormat = named(
  'deepseek-v3.1',
  {
    sectionOpen: '<｜tool▁calls▁begin｜>',
    beforeName: '<｜tool▁call▁begin｜>',
    afterName: '<｜tool▁sep｜>',
    afterArguments: '<｜tool▁call▁end｜>',
    sectionClose: '<｜tool▁calls▁end｜>',
  },
  { opens: deepSeekOpens, closes: deepSeekCloses, pattern: deepSeekHeader },
);

/** Its opening token also ends thoughts that were not closed. */
export const kimiK2: ToolFormat = {
  ...named(
    'kimi-k2',
    {
      sectionOpen: '<|tool_calls_section_begin|>',
      beforeName: '<|tool_call_begin|>functions.',
      afterName: `:${indexPlaceholder}<|tool_call_argument_begin|>`,
      afterArguments: '<|tool_call_end|>',
      sectionClose: '<|tool_calls_section_end|>',
    },
    {
      opens: ['<|tool_calls_section_begin|>', '<|tool_call_begin|>'],
      closes: ['<|tool_call_end|>', '<|tool_calls_section_end|>'],
      endsReasoning: true,
      pattern: /^\s*(?:functions\.)?([\w.-]+?)(?::\d+)?\s*$/,
      until: ['<|tool_call_argument_begin|>'],
    },
  ),
  ids: 'function-index',
};

export const solar: ToolFormat = named(
  'solar',
  {
    sectionOpen: '<|tool_calls|>',
    beforeName: `<|tool_call:begin|>${idPlaceholder}<|tool_call:name|>`,
    afterName: '<|tool_call:args|>',
    afterArguments: '<|tool_call:end|>',
    sectionClose: '<|calls|>',
  },
  {
    opens: ['<|tool_calls|>', '<|tool_call:begin|>'],
    closes: ['<|tool_call:end|>', '<|calls|>'],
    pattern: /^[\w-]*<\|tool_call:name\|>([\w.-]+)$/,
    until: ['<|tool_call:args|>'],
  },
);

/** gpt-oss: the head of a message names the tool, see channel-formats.ts. */
export const harmony: ToolFormat = named(
  'harmony',
  {
    beforeName: '<|channel|>commentary to=functions.',
    afterName: ' <|constrain|>json<|message|>',
    afterArguments: '<|call|>',
    parallel: false,
    triggers: ['<|channel|>commentary to=functions.'],
  },
  { opens: [], closes: [], pattern: /^(?!)/ },
);

/** Functionary 3.2: a line names the tool, see channel-formats.ts. The prompt ends with the first `>>>`. */
export const functionaryLines: ToolFormat = named(
  'functionary-lines',
  { beforeName: '', afterName: '\n', afterArguments: '', separator: '>>>', triggers: [] },
  { opens: [], closes: [], pattern: /^(?!)/ },
);
