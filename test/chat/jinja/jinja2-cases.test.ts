import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';

import { parseTemplate } from '../../../src/chat/jinja/parse-template.ts';
import { renderTemplate } from '../../../src/chat/jinja/render-template.ts';

interface Golden {
  readonly variables: Record<string, unknown>;
  readonly cases: readonly { readonly template: string; readonly text?: string; readonly error?: string }[];
}

const { variables, cases } = JSON.parse(
  readFileSync(new URL('jinja2-cases.json', import.meta.url), 'utf8'),
) as Golden;

function render(template: string): string | undefined {
  try {
    const result = renderTemplate(parseTemplate(template), {
      now: () => new Date(2026, 2, 14, 9, 6, 53),
      guarded: {},
      variables,
    });
    return 'text' in result ? result.text : undefined;
  } catch {
    // A syntax error: Jinja2 must have found one as well.
    return undefined;
  }
}

it.each(cases)('as Jinja2 does: $template', ({ template, text }) => {
  expect(render(template)).toBe(text);
});

it('the marks of guards change nothing that a template sees', () => {
  const user = 'a<|x|>b, <|x|>c<|';
  const expressions = [
    "{{ text.split('<|x|>') }}",
    "{{ text.split(',', 1)[1].strip() }}",
    "{{ '<|x|>' in text }} {{ text.find('c') }} {{ text.count('<|x|>') }} {{ text|length }}",
    "{{ text.replace('<|x|>', '-') }} {{ text.startswith('a<') }} {{ text.endswith('<|') }}",
    "{{ text[1:4] }}{{ text[::-1] }} {{ text.partition('<|x|>')[2] }} {{ text == 'a<|x|>b, <|x|>c<|' }}",
    "{{ text.strip('a|<') }} {{ text.rstrip('|') }} {{ text|upper }} {{ text|tojson }} {{ [text] }}",
    "{{ text in ['a<|x|>b, <|x|>c<|'] }} {{ {'a<|x|>b, <|x|>c<|': 1}[text] }} {{ text.removesuffix('<|') }}",
  ];
  for (const expression of expressions) {
    const body = parseTemplate(expression);
    const options = { now: () => new Date(0), variables: {}, guarded: { text: user } };
    const guarded = renderTemplate(body, {
      ...options,
      mark: '\u{fdd0}',
      guard: (text) => text.replaceAll('<', '<\u{fdd0}'),
    });
    const plain = renderTemplate(body, options);
    if (!('text' in guarded) || !('text' in plain)) throw new Error(`${expression} failed`);
    expect(guarded.text.replaceAll('\u{fdd0}', '')).toBe(plain.text);
  }
});
