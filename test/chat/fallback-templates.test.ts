import { expect, it } from 'vitest';

import { fileTemplate } from '../support/chat-template.ts';

const messages = [
  { role: 'system', content: 'Be brief.' },
  { role: 'user', content: 'Hi' },
  { role: 'assistant', content: 'Hello.' },
  { role: 'user', content: 'Bye' },
];

function render(architecture: string, controlTexts: readonly string[], tokenizerModel = 'gpt2'): string {
  const template = fileTemplate(
    { 'general.architecture': architecture, 'tokenizer.ggml.model': tokenizerModel },
    controlTexts,
  );
  expect(template.origin).toBe('fallback');
  return template.render({ messages }).text;
}

it('ChatML by its tokens, and when nothing else is known', () => {
  const chatMl =
    '<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHello.<|im_end|>\n<|im_start|>user\nBye<|im_end|>\n<|im_start|>assistant\n';
  expect(render('llama', ['<s>', '<|im_start|>', '<|im_end|>'], 'llama')).toBe(chatMl);
  expect(render('qwen2', [])).toBe(chatMl);
  expect(render('something-new', [])).toBe(chatMl);
  expect(fileTemplate({}).render({ messages }).text).toBe(chatMl);
});

it('Llama 3', () => {
  const tokens = ['<|begin_of_text|>', '<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>'];
  expect(render('llama', tokens)).toBe(
    '<s><|start_header_id|>system<|end_header_id|>\n\nBe brief.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\nHello.<|eot_id|><|start_header_id|>user<|end_header_id|>\n\nBye<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n',
  );
});

it('Llama 2', () => {
  expect(render('llama', ['<s>', '</s>'], 'llama')).toBe(
    '<s>[INST] <<SYS>>\nBe brief.\n<</SYS>>\n\nHi [/INST] Hello. </s><s>[INST] Bye [/INST]',
  );
});

it('Mistral', () => {
  expect(render('llama', ['[INST]', '[/INST]'])).toBe(
    '<s>[INST] Hi[/INST] Hello.</s>[INST] Be brief.\n\nBye[/INST]',
  );
});

it('gemma, by its tokens or its name', () => {
  const gemma =
    '<s><start_of_turn>user\nBe brief.\n\nHi<end_of_turn>\n<start_of_turn>model\nHello.<end_of_turn>\n<start_of_turn>user\nBye<end_of_turn>\n<start_of_turn>model\n';
  expect(render('llama', ['<start_of_turn>', '<end_of_turn>'])).toBe(gemma);
  expect(render('gemma2', [])).toBe(gemma);
});

it('Phi 3', () => {
  expect(render('phi3', ['<|user|>', '<|assistant|>', '<|end|>', '<|endoftext|>'])).toBe(
    '<|system|>\nBe brief.<|end|>\n<|user|>\nHi<|end|>\n<|assistant|>\nHello.<|end|>\n<|user|>\nBye<|end|>\n<|assistant|>\n',
  );
});

it('Zephyr and StableLM', () => {
  expect(render('stablelm', ['<|endoftext|>', '<|user|>', '<|assistant|>'])).toBe(
    '<|system|>\nBe brief.</s>\n<|user|>\nHi</s>\n<|assistant|>\nHello.</s>\n<|user|>\nBye</s>\n<|assistant|>\n',
  );
});

it('Granite', () => {
  expect(render('granite', ['<|start_of_role|>', '<|end_of_role|>'])).toBe(
    '<|start_of_role|>system<|end_of_role|>Be brief.<|end_of_text|>\n<|start_of_role|>user<|end_of_role|>Hi<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role|>Hello.<|end_of_text|>\n<|start_of_role|>user<|end_of_role|>Bye<|end_of_text|>\n<|start_of_role|>assistant<|end_of_role|>',
  );
});

it('OLMo 2', () => {
  expect(render('olmo2', [])).toBe(
    '<s><|system|>\nBe brief.\n<|user|>\nHi\n<|assistant|>\nHello.</s>\n<|user|>\nBye\n<|assistant|>\n',
  );
});

it('content in parts is joined in every form', () => {
  const parts = [{ role: 'user', content: ['one', 'two'].map((text) => ({ type: 'text' as const, text })) }];
  const forms: (readonly [string, readonly string[], string])[] = [
    ['llama', ['<|im_start|>', '<|im_end|>'], 'gpt2'],
    ['llama', ['<|start_header_id|>', '<|end_header_id|>', '<|eot_id|>'], 'gpt2'],
    ['llama', ['[INST]', '[/INST]'], 'gpt2'],
    ['llama', [], 'llama'],
    ['gemma3', [], 'llama'],
    ['phi3', [], 'llama'],
    ['stablelm', ['<|endoftext|>', '<|user|>', '<|assistant|>'], 'gpt2'],
    ['granite', [], 'gpt2'],
    ['olmo2', [], 'gpt2'],
  ];
  for (const [architecture, controlTexts, model] of forms) {
    const template = fileTemplate(
      { 'general.architecture': architecture, 'tokenizer.ggml.model': model },
      controlTexts,
    );
    expect(template.render({ messages: parts }).text).toContain('one\ntwo');
  }
});
