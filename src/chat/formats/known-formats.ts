import type { ReasoningFormat } from '../reasoning.ts';
import type { OutputFormat, ToolFormat } from '../tool-format.ts';
import { functionaryChannels, glimmerChannels, harmonyChannels } from './channel-formats.ts';
import * as json from './json-formats.ts';
import * as named from './named-formats.ts';
import * as other from './other-formats.ts';
import * as tagged from './tagged-formats.ts';

/** A form of output that some texts in a template give away. */
export interface KnownFormat extends OutputFormat {
  /** All of these stand in the template. */
  readonly includes: readonly string[];
  readonly excludes?: readonly string[];
  /** Absent: the form says nothing about calls. Of several the one that the template writes counts, else the first. */
  readonly tools?: readonly [ToolFormat, ...ToolFormat[]];
}

const solarThoughts: ReasoningFormat = { open: '<|think|>', close: '<|end|>' };

/** Their examples all look alike; only the way in which they write earlier calls tells them apart. */
const argumentPairs = [
  ['\n', '\n', '\n', '', '\n'],
  ['\n', '\n', '', '\n', '\n'],
  ['', '', '', '', ''],
].map(([afterName = '', between = '', afterValue = '', beforeEnd = '', separator = '']) =>
  tagged.argumentPairs({ name: 'argument-pairs', afterName, between, afterValue, beforeEnd, separator }),
) as [ToolFormat, ...ToolFormat[]];

/** The first that fits a template counts: the more particular come first. */
export const knownFormats: readonly KnownFormat[] = [
  {
    includes: ['[BEGIN FINAL RESPONSE]', 'Here are my reasoning steps:'],
    tools: [json.apriel],
    reasoning: { open: 'Here are my reasoning steps:', close: '[BEGIN FINAL RESPONSE]' },
    ignored: ['[END FINAL RESPONSE]', '<|end|>'],
  },
  {
    includes: ['<|channel|>', '<|message|>', '<|start|>'],
    tools: [named.harmony],
    channels: harmonyChannels,
    reasoning: { open: '<|channel|>analysis<|message|>', close: '<|end|><|start|>assistant' },
    answer: { open: '<|channel|>final<|message|>', close: '' },
  },
  {
    includes: ['atem:function_calls'],
    tools: [tagged.glimmer],
    channels: glimmerChannels,
    reasoning: { open: ' to=self<|message|>', close: '<|eom|><|start|>assistant' },
    answer: { open: ' to=user<|message|>', close: '' },
  },
  {
    includes: ['>>>all'],
    tools: [named.functionaryLines],
    channels: functionaryChannels,
    answer: { open: 'all\n', close: '' },
  },
  {
    includes: ['<|tool_call:begin|>'],
    tools: [named.solar],
    reasoning: solarThoughts,
    answer: { open: '<|content|>', close: '<|end|>' },
    ignored: ['<|begin|>assistant'],
  },
  { includes: ['<|tool_calls_section_begin|>'], tools: [named.kimiK2] },
  { includes: ['｜DSML｜'], tools: [tagged.deepSeekMarkup] },
  { includes: ['<｜tool▁call▁begin｜>', '```json'], tools: [named.deepSeekR1] },
  { includes: ['<｜tool▁call▁begin｜>'], tools: [named.deepSeekV31] },
  { includes: [']<]minimax[>['], tools: [other.minimaxM3] },
  { includes: ['minimax:tool_call'], tools: [tagged.minimaxM2] },
  {
    includes: ['<|tool_call>call:'],
    tools: [other.gemma4],
    reasoning: { open: '<|channel>thought\n', close: '<channel|>' },
  },
  { includes: ['<start_function_call>'], tools: [other.functionGemma] },
  { includes: ['```tool_code'], tools: [other.gemma3] },
  { includes: ['<|tool_call_start|>'], tools: [other.lfm2] },
  { includes: ['<|tool_list_start|>'], tools: [other.lfm2] },
  {
    includes: ['<|START_ACTION|>', '<|START_TEXT|>'],
    tools: [json.commandR7b],
    answer: { open: '<|START_TEXT|>', close: '<|END_TEXT|>' },
  },
  {
    includes: ['<|START_ACTION|>'],
    tools: [json.commandR7b],
    answer: { open: '<|START_RESPONSE|>', close: '<|END_RESPONSE|>' },
  },
  { includes: ['Action:', 'tool_name', '```json'], tools: [json.commandRPlus] },
  { includes: ['<|tools_prefix|>'], tools: [json.apertus] },
  { includes: ['<TOOLCALL>'], tools: [json.nemotron] },
  { includes: ['<seed:tool_call>'], tools: [tagged.seedOss] },
  { includes: ['function call<|role_sep|>'], tools: [json.gigaChat3] },
  { includes: ['<|function_call|>'], tools: [json.gigaChat31] },
  { includes: ['<arg_key>'], tools: argumentPairs },
  { includes: ['<parameter=', '<function='], tools: [tagged.qwen3Coder, tagged.step35] },
  { includes: ['[TOOL_CALLS]', '[ARGS]'], tools: [named.mistralNamed, named.mistralIds] },
  { includes: ['[TOOL_CALLS]', 'xlam'], tools: [json.xlam] },
  { includes: ['[TOOL_CALLS]'], tools: [json.mistralList] },
  { includes: ['functools'], excludes: ['<|tool_call|>'], tools: [json.fireFunction] },
  { includes: ['<|tool_call|>', '<|start_of_role|>'], tools: [json.granite3] },
  { includes: ['<|tool|>', '<|/tool|>'], tools: [json.phi4Mini] },
  { includes: ['<|tool_call|>'], tools: [json.phi4Mini] },
  { includes: ['<tool_calls>['], tools: [json.apriel] },
  { includes: ['<tool_calls>'], tools: [json.minimaxM1] },
  { includes: ['<tool_call>'], tools: [json.hermes] },
  { includes: ['<function='], tools: [named.functionTag] },
  { includes: ['<|header_start|>', 'tools'], tools: [other.llama4] },
  { includes: ['<|start_header_id|>', '"parameters"'], tools: [json.llama3] },
  { includes: ['[{"name":', 'tools'], tools: [json.xlam] },
];

/** The known form that a template shows, if any. */
export function findKnownFormat(source: string): KnownFormat | undefined {
  return knownFormats.find(
    ({ includes, excludes = [] }) =>
      includes.every((text) => source.includes(text)) && !excludes.some((text) => source.includes(text)),
  );
}
