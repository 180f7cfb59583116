import type { ChatRequest, Model } from 'rivulet';
import { scriptedModel } from 'rivulet/testing';

/** How a model that thinks and calls tools is talked to: the ChatML of Qwen 3, shortened. */
const chatTemplate = `{%- if tools %}
{{- '<|im_start|>system\\nTools, to be called as <tool_call>{"name": …, "arguments": …}</tool_call>:\\n' }}
{%- for tool in tools %}{{ tool | tojson }}{{ '\\n' }}{%- endfor %}
{{- '<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
{{- '<|im_start|>' + message.role + '\\n' }}
{%- if message.reasoning_content %}{{ '<think>' + message.reasoning_content + '</think>' }}{% endif %}
{{- message.content }}
{%- for call in message.tool_calls or [] %}
{{- '<tool_call>\\n' + (call.function | tojson) + '\\n</tool_call>' }}
{%- endfor %}
{{- '<|im_end|>\\n' }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}`;

const call = '{"name": "bookAppointment", "arguments": {"title": "Dentist", "day": "Monday"}}';
const recipe =
  '{"name": "Pancakes", "servings": 4, "difficulty": "easy", "ingredients": ["250 g flour", "500 ml milk", "3 eggs"], "steps": ["Whisk everything.", "Let it rest for ten minutes.", "Bake in a hot pan."]}';

const thoughts =
  'The user wants to see how this page shows thoughts. A few sentences will do, and then a short answer.';
const answer = 'This answer follows a script: no model was loaded. It shows thoughts, text and figures.';

const pieces = (text: string): string[] => text.match(/\s*\S+/g) ?? [];

/** A model without weights that says what fits the last message of a request; see `MODEL=scripted`. */
export const scriptedAnswers: Model = {
  ...scriptedModel({ chatTemplate, outputs: [] }),
  chat: (request) =>
    scriptedModel({ chatTemplate, outputs: [script(request.messages)], delayMs: 25 }).chat(request),
};

function script(messages: ChatRequest['messages']): string[] {
  const { role, content } = messages.at(-1) ?? { role: 'user', content: '' };
  const text = typeof content === 'string' ? content : JSON.stringify(content);
  if (role === 'tool') return pieces(`The calendar says: ${text}`);
  if (text.includes('appointment')) return ['<tool_call>', '\n', ...pieces(call), '\n', '</tool_call>'];
  if (text.includes('recipe')) return pieces(recipe);
  return ['<think>', ...pieces(thoughts), '</think>', '\n\n', ...pieces(answer)];
}
