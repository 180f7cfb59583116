import type { TemplateConversation, TemplateObject } from './template-messages.ts';

type Change = (conversation: TemplateConversation) => TemplateConversation | undefined;

/**
 * Changes to the shape of the input that templates written for other engines need; each gives nothing when there
 * is nothing to change. A template that fails is tried again with the fewest of them that help.
 */
const changes: readonly Change[] = [
  omitMissingTools,
  fillEmptyContent,
  joinTextParts,
  parseArguments,
  writeArguments,
  completeTools,
  simplifyTypes,
];

/** The conversation itself, then with one change, with two and so on. */
export function* adaptations(conversation: TemplateConversation): Generator<TemplateConversation> {
  const useful = changes.filter((change) => change(conversation) !== undefined);
  const choices = Array.from({ length: 2 ** useful.length }, (_, bits) =>
    useful.filter((_change, index) => (bits & (2 ** index)) !== 0),
  );
  for (const chosen of choices.toSorted((left, right) => left.length - right.length)) {
    yield chosen.reduce((changed, change) => change(changed) ?? changed, conversation);
  }
}

/** Templates that ask whether `tools` is defined mean that there are some. */
function omitMissingTools(conversation: TemplateConversation): TemplateConversation | undefined {
  return conversation.tools === null ? { messages: conversation.messages } : undefined;
}

function fillEmptyContent(conversation: TemplateConversation): TemplateConversation | undefined {
  return changeMessages(conversation, (message) =>
    message['content'] === null ? { ...message, content: '' } : message,
  );
}

function joinTextParts(conversation: TemplateConversation): TemplateConversation | undefined {
  return changeMessages(conversation, (message) => {
    const { content } = message as { readonly content?: unknown };
    if (!Array.isArray(content)) return message;
    const texts = (content as readonly { readonly text?: unknown }[]).map((part) => part.text);
    return texts.every((text) => typeof text === 'string')
      ? { ...message, content: texts.join('\n') }
      : message;
  });
}

/** Arguments that are JSON in a string become an object. */
function parseArguments(conversation: TemplateConversation): TemplateConversation | undefined {
  return changeArguments(conversation, (value) => {
    if (typeof value !== 'string') return value;
    try {
      const parsed: unknown = JSON.parse(value);
      return typeof parsed === 'object' && parsed !== null ? parsed : value;
    } catch {
      // Not JSON: the template gets what the caller gave.
      return value;
    }
  });
}

function writeArguments(conversation: TemplateConversation): TemplateConversation | undefined {
  return changeArguments(conversation, (value) => (typeof value === 'object' ? writeJson(value) : value));
}

/** JSON with the spaces that Python writes. */
function writeJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(writeJson).join(', ')}]`;
  if (typeof value === 'object' && value !== null) {
    const entries = Object.entries(value).filter(([, item]) => item !== undefined);
    return `{${entries.map(([key, item]) => `${JSON.stringify(key)}: ${writeJson(item)}`).join(', ')}}`;
  }
  return JSON.stringify(value);
}

/** Templates that write tools out themselves expect what users may leave away. */
function completeTools(conversation: TemplateConversation): TemplateConversation | undefined {
  const { tools } = conversation;
  if (tools === undefined || tools === null) return undefined;
  const completed = tools.map((tool) => {
    const definition = asObject(tool['function']);
    const parameters = asObject(definition['parameters']);
    const properties = Object.entries(asObject(parameters['properties'])).map(([key, property]) => [
      key,
      { type: typeWord(property), description: '', ...asObject(property) },
    ]);
    return {
      ...tool,
      function: {
        description: '',
        ...definition,
        parameters: {
          type: 'object',
          required: [],
          ...parameters,
          properties: Object.fromEntries(properties) as TemplateObject,
        },
      },
    };
  });
  const isChanged = JSON.stringify(completed) !== JSON.stringify(tools);
  return isChanged ? { ...conversation, tools: completed } : undefined;
}

/** Of several types of an argument only the first that is not null, where a template takes a type for a word. */
function simplifyTypes(conversation: TemplateConversation): TemplateConversation | undefined {
  const { tools } = conversation;
  if (tools === undefined || tools === null) return undefined;
  let isChanged = false;
  const simplify = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map(simplify);
    if (typeof value !== 'object' || value === null) return value;
    const entries = Object.entries(value).map(([key, item]) => {
      if (key !== 'type' || !Array.isArray(item)) return [key, simplify(item)];
      isChanged = true;
      return [key, (item as unknown[]).find((type) => type !== 'null') ?? 'null'];
    });
    return Object.fromEntries(entries) as unknown;
  };
  const simplified = tools.map((tool) => simplify(tool) as TemplateObject);
  return isChanged ? { ...conversation, tools: simplified } : undefined;
}

/** The type of an argument whose schema does not say it at its beginning. */
function typeWord(property: unknown): string {
  const { enum: values, anyOf, oneOf } = asObject(property) as Readonly<Record<string, unknown>>;
  const [first] = [values, anyOf, oneOf].flatMap((list) => (Array.isArray(list) ? (list as unknown[]) : []));
  const { type } = asObject(first) as { readonly type?: unknown };
  return typeof type === 'string' ? type : 'string';
}

function asObject(value: unknown): TemplateObject {
  return typeof value === 'object' && value !== null ? (value as TemplateObject) : {};
}

function changeArguments(
  conversation: TemplateConversation,
  change: (value: unknown) => unknown,
): TemplateConversation | undefined {
  return changeMessages(conversation, (message) => {
    const calls = message['tool_calls'];
    if (!Array.isArray(calls)) return message;
    const changed = (calls as readonly { readonly function: TemplateObject }[]).map((call) => {
      const value = change(call.function['arguments']);
      if (value === call.function['arguments']) return call;
      return Object.assign({}, call, { function: { ...call.function, arguments: value } });
    });
    return changed.some((call, index) => call !== calls[index])
      ? { ...message, tool_calls: changed }
      : message;
  });
}

function changeMessages(
  conversation: TemplateConversation,
  change: (message: TemplateObject) => TemplateObject,
): TemplateConversation | undefined {
  const messages = conversation.messages.map(change);
  const isChanged = messages.some((message, index) => message !== conversation.messages[index]);
  return isChanged ? { ...conversation, messages } : undefined;
}
