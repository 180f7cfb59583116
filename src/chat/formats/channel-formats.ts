import type { ChannelFormat } from '../tool-format.ts';

/** gpt-oss: https://cookbook.openai.com/articles/openai-harmony */
export const harmonyChannels: ChannelFormat = {
  start: '<|start|>assistant',
  message: '<|message|>',
  ends: ['<|end|>', '<|call|>', '<|return|>'],
  begins: ['<|channel|>', ' to=', 'to='],
  head: /^[^<]*(?:<\|(?:channel|constrain)\|>[^<]*)*$/,
  reasoning: /<\|channel\|>analysis\b/,
  call: /\bto=(?:functions\.)?([\w.-]+)/,
};

/** Muse Glimmer: the head names who is spoken to, the model itself where it thinks. */
export const glimmerChannels: ChannelFormat = {
  start: '<|start|>assistant',
  message: '<|message|>',
  ends: ['<|eom|>'],
  begins: [' to=', 'to='],
  head: /^ ?to=[\w.-]+$/,
  reasoning: /to=self$/,
};

/** Functionary 3.2: a line with `all` before text, or with the name of a tool. */
export const functionaryChannels: ChannelFormat = {
  start: '>>>',
  message: '\n',
  ends: [],
  head: /^[\w.-]{1,128}$/,
  reasoning: /^(?!)/,
  call: /^(?!all$)([\w.-]+)$/,
};
