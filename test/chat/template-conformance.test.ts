import { describe, expect, it } from 'vitest';

import {
  createCaseTemplate,
  describeResult,
  expectedResult,
  isExpressible,
  readTemplateFolder,
  renderChatMessages,
  renderConversation,
} from '../support/template-cases.ts';

const { conversations, templates } = readTemplateFolder(
  new URL('../conformance/templates', import.meta.url).pathname,
);

describe.each(templates)('$name', (template) => {
  it('renders as Jinja2 does in Python', () => {
    for (const one of template.cases) {
      const conversation = conversations[one.conversation] ?? { messages: [] };
      const { first, last } = renderConversation(template, conversation, one);
      if (one.runtimeError === undefined) expect(describeResult(first)).toBe(expectedResult(one));
      else if (one.adapted !== undefined) expect(describeResult(last)).toBe(expectedResult(one));
    }
  });

  it('renders the same from messages of our own', () => {
    const chat = createCaseTemplate(template);
    let compared = 0;
    for (const one of template.cases) {
      const conversation = conversations[one.conversation] ?? { messages: [] };
      const hasExpectation = one.runtimeError === undefined || one.adapted !== undefined;
      if (!isExpressible(conversation, template) || !hasExpectation) continue;
      expect(renderChatMessages(chat, conversation, one)).toBe(expectedResult(one));
      compared += 1;
    }
    expect(compared).toBeGreaterThan(20);
  });
});
