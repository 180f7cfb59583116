import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';

import {
  createCaseTemplate,
  describeResult,
  expectedResult,
  isExpressible,
  readTemplateFolder,
  renderChatMessages,
  renderConversation,
} from '../support/template-cases.ts';
import { conformanceFolder } from './conformance-folder.ts';

const { conversations, templates } = readTemplateFolder(join(conformanceFolder(), 'templates'));
const table: Record<string, string | number>[] = [];

afterAll(() => {
  console.table(table);
});

describe.each(templates)('$name', (template) => {
  it('is exact', () => {
    const chat = createCaseTemplate(template);
    const row = { template: template.name, rendered: 0, raised: 0, adapted: 0, lenient: 0, messages: 0 };
    const wrong: string[] = [];
    for (const one of template.cases) {
      const conversation = conversations[one.conversation] ?? { messages: [] };
      const { first, last } = renderConversation(template, conversation, one);
      const expected = expectedResult(one);
      const label = `${one.conversation} ${JSON.stringify(one.options)}`;
      if (one.runtimeError !== undefined && one.adapted === undefined) {
        // Python's generators cannot be written as JSON; ours are lists and can.
        if (describeResult(last) !== 'failed') row.lenient += 1;
        continue;
      }
      const result = one.adapted === undefined ? first : last;
      if (describeResult(result) !== expected) wrong.push(label);
      else if (one.adapted !== undefined) row.adapted += 1;
      else if (one.raised === undefined) row.rendered += 1;
      else row.raised += 1;
      if (!isExpressible(conversation, template)) continue;
      if (renderChatMessages(chat, conversation, one) === expected) row.messages += 1;
      else wrong.push(`${label} from our messages`);
    }
    table.push(row);
    expect(wrong).toEqual([]);
  });
});
