import type { ToolFormat } from '../tool-format.ts';

/** Liquid's models. */
export const lfm2: ToolFormat = {
  name: 'lfm2',
  writing: {
    sectionOpen: '<|tool_call_start|>[',
    beforeName: '',
    afterName: '(',
    arguments: { kind: 'python' },
    afterArguments: ')',
    separator: ', ',
    sectionClose: ']<|tool_call_end|>',
    parallel: true,
    triggers: ['<|tool_call_start|>'],
  },
  reading: {
    opens: ['<|tool_call_start|>'],
    closes: ['<|tool_call_end|>'],
    body: { kind: 'python' },
  },
};

/** A list of calls is the whole answer. */
export const llama4: ToolFormat = {
  name: 'llama4',
  writing: { ...lfm2.writing, sectionOpen: '[', sectionClose: ']', triggers: [] },
  reading: {
    opens: ['<|python_start|>'],
    closes: ['<|python_end|>'],
    bare: { first: ['['], anywhere: [] },
    body: { kind: 'python' },
  },
};

/** Gemma 3 as its makers describe it: a fence around Python. */
export const gemma3: ToolFormat = {
  name: 'gemma3',
  writing: {
    ...lfm2.writing,
    sectionOpen: '```tool_code\n',
    separator: '\n',
    sectionClose: '\n```',
    parallel: false,
    triggers: ['```tool_code'],
  },
  reading: { opens: ['```tool_code'], closes: ['```'], body: { kind: 'python' } },
};

function braces(name: string, open: string, close: string, quote: string): ToolFormat {
  return {
    name,
    writing: {
      sectionOpen: '',
      beforeName: `${open}call:`,
      afterName: '',
      arguments: { kind: 'braces', quote },
      afterArguments: close,
      separator: '',
      sectionClose: '',
      parallel: true,
      triggers: [open],
    },
    reading: { opens: [open], closes: [close], body: { kind: 'braces', quotes: [quote] } },
  };
}

export const gemma4: ToolFormat = braces('gemma4', '<|tool_call>', '<tool_call|>', '<|"|>');

export const functionGemma: ToolFormat = braces(
  'function-gemma',
  '<start_function_call>',
  '<end_function_call>',
  '<escape>',
);

const mark = ']<]minimax[>[';

export const minimaxM3: ToolFormat = {
  name: 'minimax-m3',
  writing: {
    sectionOpen: `${mark}<tool_call>\n`,
    beforeName: `${mark}<invoke name="`,
    afterName: '">',
    arguments: { kind: 'elements', mark },
    afterArguments: `${mark}</invoke>\n`,
    separator: '',
    sectionClose: `${mark}</tool_call>`,
    parallel: true,
    triggers: [`${mark}<tool_call>`],
  },
  reading: {
    opens: [`${mark}<tool_call>`, `${mark}<invoke name="`],
    closes: [`${mark}</tool_call>`],
    body: { kind: 'elements', mark },
  },
};
