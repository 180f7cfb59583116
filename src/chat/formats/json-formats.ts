import { functionTag } from './named-formats.ts';
import { idPlaceholder, indexPlaceholder } from '../tool-format.ts';
import type { CallBody, ToolFormat, ToolReading, ToolWriting } from '../tool-format.ts';

const json = { kind: 'json' } as const;

/** How an object that is a call begins, in the spellings of models that use no marker. */
const bareObjects = ['{"name"', '{"type": "function"', '{"type":"function"', '{"function"'];

/** Models take one key for the other; both are read everywhere. */
const nameAndArguments: CallBody = {
  kind: 'object',
  nameKeys: ['name', 'tool_name'],
  argumentsKeys: ['arguments', 'parameters'],
};

/** One object between two texts for each call. */
function objects(
  name: string,
  texts: Partial<ToolWriting> & Pick<ToolWriting, 'beforeName' | 'afterName' | 'afterArguments'>,
  reading: Partial<ToolReading> & Pick<ToolReading, 'opens' | 'closes'>,
): ToolFormat {
  return {
    name,
    writing: {
      sectionOpen: '',
      separator: '\n',
      sectionClose: '',
      parallel: true,
      triggers: reading.bare === undefined ? reading.opens.slice(0, 1) : [],
      ...texts,
      arguments: json,
    },
    reading: { body: nameAndArguments, ...reading },
  };
}

/** One list of objects between two texts for all calls. */
function list(
  name: string,
  open: string,
  close: string,
  reading: Partial<ToolReading> & { readonly alsoOpens?: readonly string[] } = {},
  entry: Partial<ToolWriting> = {},
): ToolFormat {
  const { alsoOpens = [], ...others } = reading;
  return objects(
    name,
    {
      sectionOpen: `${open}[`,
      beforeName: '{"name": "',
      afterName: '", "arguments": ',
      afterArguments: '}',
      separator: ', ',
      sectionClose: `]${close}`,
      ...entry,
    },
    {
      opens: [open, ...alsoOpens].filter((text) => text !== ''),
      closes: close === '' ? [] : [close],
      ...others,
    },
  );
}

/** What small models write instead of the form that they were told: the object alone, or in a fence. */
const loose: ToolReading = {
  opens: [],
  firstOpens: ['```json', '```tool_call', '```', '<tools>', '<function_call>'],
  closes: ['```', '</tools>', '</tool_call>', '</function_call>'],
  bare: { first: ['{', '['], anywhere: [] },
  needsArguments: true,
  body: nameAndArguments,
};

/** Hermes 2 Pro, Qwen 2.5 and 3, MiMo, Granite 4 and many others; also what models without a form are told to use. */
export const hermes: ToolFormat = {
  ...objects(
    'hermes',
    {
      beforeName: '<tool_call>\n{"name": "',
      afterName: '", "arguments": ',
      afterArguments: '}\n</tool_call>',
    },
    { opens: ['<tool_call>'], closes: ['</tool_call>'] },
  ),
  alsoReads: [loose],
};

export const minimaxM1: ToolFormat = objects(
  'minimax-m1',
  {
    sectionOpen: '<tool_calls>\n',
    beforeName: '{"name": "',
    afterName: '", "arguments": ',
    afterArguments: '}',
    sectionClose: '\n</tool_calls>',
  },
  { opens: ['<tool_calls>'], closes: ['</tool_calls>'] },
);

/** Calls are the whole answer and have no marker; a function of the user's may come in tags. */
export const llama3: ToolFormat = {
  ...objects(
    'llama3',
    {
      beforeName: '{"name": "',
      afterName: '", "parameters": ',
      afterArguments: '}',
      separator: '; ',
      parallel: false,
      triggers: [],
    },
    { opens: ['<|python_tag|>'], closes: [], bare: { first: ['{'], anywhere: bareObjects } },
  ),
  alsoReads: [functionTag.reading],
};

export const gigaChat3: ToolFormat = objects(
  'gigachat3',
  {
    beforeName: '<|message_sep|>\n\nfunction call<|role_sep|>\n{"name": "',
    afterName: '", "arguments": ',
    afterArguments: '}',
    parallel: false,
  },
  { opens: ['<|message_sep|>\n\nfunction call<|role_sep|>'], closes: [] },
);

export const gigaChat31: ToolFormat = objects(
  'gigachat3.1',
  {
    beforeName: '<|function_call|>{"name": "',
    afterName: '", "arguments": ',
    afterArguments: '}',
    parallel: false,
  },
  { opens: ['<|function_call|>'], closes: [] },
);

export const mistralList: ToolFormat = {
  ...list('mistral', '[TOOL_CALLS]', '', {}, { afterArguments: `, "id": "${idPlaceholder}"}` }),
  ids: 'nine-alphanumeric',
};

export const nemotron: ToolFormat = list('nemotron', '<TOOLCALL>', '</TOOLCALL>');

export const apriel: ToolFormat = list('apriel', '<tool_calls>', '</tool_calls>');

export const granite3: ToolFormat = list('granite3', '<|tool_call|>', '', { alsoOpens: ['<tool_call>'] });

export const phi4Mini: ToolFormat = list('phi-4-mini', '<|tool_call|>', '<|/tool_call|>', {
  alsoOpens: ['functools'],
});

export const fireFunction: ToolFormat = list('firefunction', ' functools', '', {
  opens: ['functools'],
});

/** A list is the whole answer; some of these models put it into a fence. */
export const xlam: ToolFormat = list('xlam', '', '', {
  opens: ['[TOOL_CALLS]', '<tool_call>'],
  firstOpens: ['```json', '```'],
  needsArguments: true,
  closes: ['```', '</tool_call>'],
  bare: { first: ['['], anywhere: bareObjects.map((text) => `[${text}`) },
});

const commandEntry = {
  beforeName: `{"tool_call_id": "${indexPlaceholder}", "tool_name": "`,
  afterName: '", "parameters": ',
};

export const commandR7b: ToolFormat = list(
  'command-r7b',
  '<|START_ACTION|>',
  '<|END_ACTION|>',
  { endsReasoning: true },
  {
    ...commandEntry,
    sectionOpen: '<|START_ACTION|>[\n    ',
    separator: ',\n    ',
    sectionClose: '\n]<|END_ACTION|>',
  },
);

export const commandRPlus: ToolFormat = list(
  'command-r-plus',
  'Action: ```json',
  '```',
  { alsoOpens: ['Action:```json'] },
  {
    sectionOpen: 'Action: ```json\n[\n    ',
    beforeName: '{\n        "tool_name": "',
    afterName: '",\n        "parameters": ',
    afterArguments: '\n    }',
    separator: ',\n    ',
    sectionClose: '\n]\n```',
  },
);

export const apertus: ToolFormat = list(
  'apertus',
  '<|tools_prefix|>',
  '<|tools_suffix|>',
  { body: { kind: 'entry' } },
  { beforeName: '{"', afterName: '": ' },
);
