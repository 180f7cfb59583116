import { expect, test } from 'vitest';

import { detectTools } from '../../src/chat/formats/detect-tools.ts';
import { namesTools } from '../../src/chat/template.ts';
import { chatTemplate } from '../support/chat-template.ts';
import { createCaseTemplate, readTemplateFolder } from '../support/template-cases.ts';

const { templates } = readTemplateFolder(new URL('../conformance/templates', import.meta.url).pathname);

test('the templates that name tools are those that show them', () => {
  const found = new Set<boolean>();
  for (const one of templates) {
    const template = createCaseTemplate(one);
    expect([one.name, namesTools(template)]).toEqual([one.name, detectTools(template).showsTools]);
    found.add(namesTools(template));
  }
  expect(found.size).toBe(2);
});

test('part of another word is no name', () => {
  expect(namesTools(chatTemplate('{{ toolset }} {{ messages }}'))).toBe(false);
});
