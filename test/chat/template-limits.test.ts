import { describe, expect, it } from 'vitest';

import { chatTemplate, rivuletError } from '../support/chat-template.ts';

const messages = [{ role: 'user', content: 'Hello' }];

describe('a template that does not end or grows is stopped', () => {
  it.each([
    ['a loop', '{% for a in range(99999) %}{% for b in range(99999) %}{% endfor %}{% endfor %}'],
    [
      'a loop over a growing list',
      '{% set l = [1] %}{% for a in range(50) %}{% set _ = l.extend(l) %}{% endfor %}',
    ],
    ['a huge range', '{% for a in range(10 ** 12) %}{% endfor %}'],
    ['endless recursion', '{% macro a() %}{{ a() }}{% endmacro %}{{ a() }}'],
    [
      'recursion with a wide fan',
      '{% macro a(n) %}{% if n %}{{ a(n-1) }}{{ a(n-1) }}{% endif %}{% endmacro %}{{ a(60) }}',
    ],
    ['a repeated text', "{{ 'a' * 10 ** 9 }}"],
    [
      'a doubling text',
      "{% set ns = namespace(x='ab') %}{% for i in range(60) %}{% set ns.x = ns.x ~ ns.x %}{% endfor %}",
    ],
    [
      'many long texts',
      "{% set x = 'ab' * 2 ** 21 %}{% for i in range(9999) %}{% set y = x ~ i %}{% endfor %}",
    ],
    ['a padded text', "{{ 'a'.center(10 ** 9) }}"],
    ['a wide format', "{{ '{:>999999999}'.format(1) }}"],
    ['a wide indent', "{{ ('a\n' * 1000)|indent(10 ** 6) }}"],
    ['an exploding replace', "{{ ('a' * 10 ** 6).replace('a', 'b' * 10 ** 6) }}"],
    ['an exploding join', "{{ ([('a' * 10 ** 5)] * 10 ** 5)|join('b' * 10 ** 5) }}"],
    [
      'output without end',
      "{% for a in range(999999) %}{{ 'abcdefghijklmnopqrstuvwxyz' * 100 }}{% endfor %}",
    ],
    ['a list in itself', '{% set l = [] %}{% set _ = l.append(l) %}{{ l }}'],
    ['a list in itself as JSON', '{% set l = [] %}{% set _ = l.append(l) %}{{ l|tojson }}'],
    [
      'lists of lists of lists',
      "{% set ns = namespace(x=['ab']) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% endfor %}{{ ns.x }}",
    ],
    [
      'comparing what is nested',
      "{% set ns = namespace(x=['ab'], y=['ab']) %}{% for i in range(60) %}{% set ns.x = [ns.x, ns.x] %}{% set ns.y = [ns.y, ns.y] %}{% endfor %}{{ ns.x == ns.y }}",
    ],
    ['sorting much', '{% for i in range(99999) %}{{ (range(9999)|list)|sort|length }}{% endfor %}'],
    ['searching much', "{% set x = 'a' * 2 ** 22 %}{% for i in range(999999) %}{{ 'b' in x }}{% endfor %}"],
    ['unique of much', '{{ range(999999)|unique|list|length }}'],
    ['a long chain', `{{ 1${' + 1'.repeat(100_000)} }}`],
  ])('%s', (_, source) => {
    const start = performance.now();
    const error = rivuletError(() => chatTemplate(source).render({ messages }));
    expect(error.code).toBe('TEMPLATE_LIMIT_EXCEEDED');
    expect(error.message).toContain('chatTemplate');
    expect(performance.now() - start).toBeLessThan(4000);
  });

  it.each([
    ['brackets', `{{ ${'('.repeat(100_000)}1${')'.repeat(100_000)} }}`],
    ['statements', '{% if x %}'.repeat(20_000) + '{% endif %}'.repeat(20_000)],
    ['negations', `{{ ${'not '.repeat(100_000)}1 }}`],
    ['signs', `{{ ${'- '.repeat(100_000)}1 }}`],
    ['choices', `{{ ${'1 if x else '.repeat(30_000)}1 }}`],
    ['a source too long', ' '.repeat(2 ** 20)],
  ])('deep or long sources: %s', (_, source) => {
    const start = performance.now();
    expect(rivuletError(() => chatTemplate(source)).code).toBe('TEMPLATE_LIMIT_EXCEEDED');
    expect(performance.now() - start).toBeLessThan(1000);
  });

  it('the limits leave room for a long conversation', () => {
    const long = Array.from({ length: 2000 }, (_, index) => ({
      role: index % 2 === 0 ? 'user' : 'assistant',
      content: 'All work and no play makes Jack a dull boy. '.repeat(40),
    }));
    const source = "{% for m in messages %}{{ '<' + m.role + '>' + m.content | trim + '\\n' }}{% endfor %}";
    expect(chatTemplate(source).render({ messages: long }).text.length).toBeGreaterThan(3_500_000);
  });

  it('works again after a limit', () => {
    const template = chatTemplate(
      '{% for a in range(n) %}{% for b in range(n) %}{% endfor %}{% endfor %}done',
    );
    expect(rivuletError(() => template.render({ messages, variables: { n: 99_999 } })).code).toBe(
      'TEMPLATE_LIMIT_EXCEEDED',
    );
    expect(template.render({ messages, variables: { n: 2 } }).text).toBe('done');
  });
});
