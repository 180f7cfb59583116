import { namePlaceholder } from '../tool-format.ts';
import { escapePattern } from './escape-pattern.ts';
import type { CallHeader, ParameterReading, ToolFormat, ToolReading, ToolWriting } from '../tool-format.ts';

interface TaggedTexts extends Pick<ToolWriting, 'beforeName' | 'afterName' | 'afterArguments'> {
  readonly sectionOpen?: string;
  readonly sectionClose?: string;
  readonly separator?: string;
  readonly beforeKey: string;
  readonly afterKey: string;
  readonly afterStringKey?: string;
  readonly afterValue: string;
  /** Between two arguments. @default '' */
  readonly between?: string;
}

/** The name between texts, then each argument in tags of its own: strings as they are, other values as JSON. */
function tagged(
  name: string,
  texts: TaggedTexts,
  reading: Omit<ToolReading, 'body'> & { readonly header: CallHeader; readonly parameters: ParameterReading },
): ToolFormat {
  const { beforeKey, afterKey, afterStringKey, afterValue, between = '', ...writing } = texts;
  const { header, parameters, ...others } = reading;
  return {
    name,
    writing: {
      sectionOpen: '',
      separator: '\n',
      sectionClose: '',
      parallel: true,
      triggers: reading.opens.slice(0, 1),
      ...writing,
      arguments: {
        kind: 'tagged',
        beforeKey,
        afterKey,
        ...(afterStringKey === undefined ? {} : { afterStringKey }),
        afterValue,
        separator: between,
      },
    },
    reading: { ...others, body: { kind: 'tagged', header, parameters } },
  };
}

const functionHeader: CallHeader = { until: ['>'], pattern: /^\s*(?:<function=)?\s*"?([\w.-]+)"?\s*$/ };
const functionParameters: ParameterReading = {
  open: '<parameter=',
  middle: '>',
  pattern: /^\s*"?([^"<>]+?)"?\s*$/,
  close: '</parameter>',
  end: ['</function>'],
};

/** Qwen3-Coder, Qwen 3.5, Nemotron 3. */
export const qwen3Coder: ToolFormat = tagged(
  'qwen3-coder',
  {
    beforeName: '<tool_call>\n<function=',
    afterName: '>\n',
    beforeKey: '<parameter=',
    afterKey: '>\n',
    afterValue: '\n</parameter>\n',
    afterArguments: '</function>\n</tool_call>',
  },
  {
    opens: ['<tool_call>', '<function='],
    closes: ['</tool_call>'],
    header: functionHeader,
    parameters: { ...functionParameters, valueOnLines: true },
  },
);

/** Step 3.5 puts nothing between two calls. */
export const step35: ToolFormat = {
  ...qwen3Coder,
  name: 'step-3.5',
  writing: { ...qwen3Coder.writing, separator: '' },
};

export const seedOss: ToolFormat = tagged(
  'seed-oss',
  {
    beforeName: '<seed:tool_call>\n<function=',
    afterName: '>\n',
    beforeKey: '<parameter=',
    afterKey: '>',
    afterValue: '</parameter>\n',
    afterArguments: '</function>\n</seed:tool_call>',
  },
  {
    opens: ['<seed:tool_call>', '<function='],
    closes: ['</seed:tool_call>'],
    header: functionHeader,
    parameters: functionParameters,
  },
);

/** Elements `invoke` and `parameter` under some prefix. */
function invoke(name: string, section: string, prefix: string, texts: Partial<TaggedTexts> = {}): ToolFormat {
  const open = `<${section}>`;
  const close = `</${section}>`;
  return tagged(
    name,
    {
      sectionOpen: `${open}\n`,
      beforeName: `<${prefix}invoke name="`,
      afterName: '">\n',
      beforeKey: `<${prefix}parameter name="`,
      afterKey: '">',
      afterValue: `</${prefix}parameter>\n`,
      afterArguments: `</${prefix}invoke>`,
      sectionClose: `\n${close}`,
      ...texts,
    },
    {
      opens: [open, `<${prefix}invoke name=`],
      closes: [close],
      header: {
        until: ['>'],
        pattern: new RegExp(`^\\s*(?:<${escapePattern(prefix)}invoke name=)?\\s*"?([\\w.-]+)"?\\s*$`),
      },
      parameters: {
        open: `<${prefix}parameter name=`,
        middle: '>',
        pattern: /^\s*"?([^"<>]+?)"?(?:\s+string="(true|false)")?\s*$/,
        close: `</${prefix}parameter>`,
        end: [`</${prefix}invoke>`],
      },
    },
  );
}

export const minimaxM2: ToolFormat = invoke('minimax-m2', 'minimax:tool_call', '');

/** DeepSeek V3.2 and V4. */
export const deepSeekMarkup: ToolFormat = invoke('deepseek-markup', '｜DSML｜tool_calls', '｜DSML｜', {
  afterKey: '" string="false">',
  afterStringKey: '" string="true">',
  afterValue: '</｜DSML｜parameter>',
  between: '\n',
  afterArguments: '\n</｜DSML｜invoke>',
});

/** Each call is a message whose head names the tool, too: see channel-formats.ts. */
export const glimmer: ToolFormat = invoke('glimmer', 'atem:function_calls', 'atem:', {
  sectionOpen: '',
  beforeName: ` to=${namePlaceholder}<|message|><atem:function_calls>\n<atem:invoke name="`,
  afterArguments: '</atem:invoke>\n</atem:function_calls>',
  separator: '<|eom|><|start|>assistant',
  sectionClose: '',
});

/** GLM 4.5 and later, Ling, Spark, Laguna: they differ in line ends only. */
export function argumentPairs(options: {
  readonly name: string;
  readonly afterName: string;
  readonly between: string;
  readonly afterValue: string;
  readonly beforeEnd: string;
  readonly separator: string;
}): ToolFormat {
  return tagged(
    options.name,
    {
      beforeName: '<tool_call>',
      afterName: options.afterName,
      beforeKey: '<arg_key>',
      afterKey: `</arg_key>${options.between}<arg_value>`,
      afterValue: `</arg_value>${options.afterValue}`,
      afterArguments: `${options.beforeEnd}</tool_call>`,
      separator: options.separator,
    },
    {
      opens: ['<tool_call>'],
      closes: [],
      header: { until: ['<arg_key>', '</tool_call>', '\n'], keepsEnd: true, pattern: /^\s*([\w.-]+)\s*$/ },
      parameters: {
        open: '<arg_key>',
        middle: '</arg_key>',
        pattern: /^\s*([^<>]+?)\s*$/,
        valueOpen: '<arg_value>',
        close: '</arg_value>',
        end: ['</tool_call>'],
      },
    },
  );
}
