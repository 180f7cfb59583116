import { describe, expect, it } from 'vitest';

import { findReasoningPlace, reasoningFields } from '../../src/chat/reasoning-history.ts';
import { createTemplate } from '../support/tool-call-cases.ts';

describe('thoughts of earlier turns go where the template looks for them', () => {
  it.each([
    ['{{ message.reasoning_content }}', 'reasoning_content'],
    ['{{ message.reasoning_content or message.reasoning }}', 'reasoning_content'],
    ['{% if "thinking" in message %}{{ message.thinking }}{% endif %}', 'thinking'],
    ['{{ message.reasoning }}', 'reasoning'],
    ["{{ message['thought'] }}", 'thought'],
    ["{% if block['type'] == 'thinking' %}", 'content-part'],
    ['{% if thinking %}{{ message.content }}{% endif %}', 'reasoning_content'],
  ])('%s', (source, place) => {
    expect(findReasoningPlace(source)).toBe(place);
  });

  it('as parts of the content', () => {
    const message = { role: 'assistant', content: 'a', reasoning: 'r' };
    expect(reasoningFields(message, 'a', 'content-part')).toEqual({
      content: [
        { type: 'thinking', thinking: 'r' },
        { type: 'text', text: 'a' },
      ],
    });
  });

  it('together with the text before a call where only one of them has a place', () => {
    const toolCalls = [{ id: '1', name: 'f', arguments: {} }];
    const message = { role: 'assistant', content: 'a', reasoning: 'r', toolCalls };
    expect(reasoningFields(message, 'a', 'thinking')).toEqual({ content: '', thinking: 'r\n\na' });
  });

  it('rendered', () => {
    const template = createTemplate('{% for message in messages %}[{{ message.thinking }}]{% endfor %}');
    const messages = [{ role: 'assistant', content: 'a', reasoning: 'hm' }];
    expect(template.render({ messages }).text).toBe('[hm]');
  });
});
