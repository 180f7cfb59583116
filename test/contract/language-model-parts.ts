/** A part of any version of the specification. */
export interface StreamPart {
  readonly type: string;
  readonly [key: string]: unknown;
}

/** What every release of `ai` 7 knows; an older one ends the stream at a part that it does not know. */
const knownTypes: ReadonlySet<string> = new Set([
  'stream-start',
  'response-metadata',
  'text-start',
  'text-delta',
  'text-end',
  'reasoning-start',
  'reasoning-delta',
  'reasoning-end',
  'tool-input-start',
  'tool-input-delta',
  'tool-input-end',
  'tool-call',
  'finish',
  'raw',
  'error',
]);

/** `interrupted` came later and is none of ours. */
const knownReasons: ReadonlySet<unknown> = new Set(['stop', 'length', 'tool-calls', 'error']);

type BlockKind = 'text' | 'reasoning' | 'tool-input';

interface Block {
  readonly id: string;
  readonly kind: BlockKind;
  readonly toolName: unknown;
  joined: string;
}

/**
 * Walks through the canonical order of one answer and throws at the first part that breaks it.
 * Stricter than the specification where it leaves a choice: one open block at a time, no empty blocks, a call only after its streamed input.
 */
export function checkParts(parts: readonly StreamPart[], { complete = true } = {}): void {
  const usedIds = new Set<string>();
  let open: Block | undefined;
  let endedInput: Block | undefined;
  let calls = 0;
  let failed = false;
  let finished = false;

  for (const [index, part] of parts.entries()) {
    const demand = (condition: boolean, rule: string): void => {
      if (condition) return;
      const types = parts.map(({ type }) => type).join(' ');
      throw new Error(`Part ${index} (${JSON.stringify(part)}): ${rule}. All parts: ${types}`);
    };
    const { type } = part;
    demand(knownTypes.has(type), 'every release of ai 7 knows its type');
    demand(!finished, 'nothing comes after finish');
    demand((index === 0) === (type === 'stream-start'), 'stream-start comes first, and once');
    demand(!failed || type === 'finish', 'only finish comes after error');
    demand(!('providerMetadata' in part) || isJson(part['providerMetadata']), 'metadata is JSON');
    if (type === 'raw') continue;
    if (index > 0 && usedIds.size === 0 && type.endsWith('-start')) {
      const before = parts.slice(0, index).some((other) => other.type === 'response-metadata');
      demand(before, 'response-metadata comes before output');
    }
    demand(endedInput === undefined || type !== 'tool-input-delta', 'no delta after the end of an input');

    switch (type) {
      case 'stream-start':
        demand(Array.isArray(part['warnings']), 'warnings is a list');
        break;
      case 'response-metadata':
        demand(isText(part['id']) && isText(part['modelId']), 'it has an id and the id of the model');
        demand(part['timestamp'] instanceof Date, 'its timestamp is a Date');
        break;
      case 'text-start':
      case 'reasoning-start':
      case 'tool-input-start': {
        const id = String(part['id']);
        demand(open === undefined, 'the block before is closed');
        demand(!usedIds.has(id), 'its id is new');
        usedIds.add(id);
        open = { id, kind: kindOf(type), toolName: part['toolName'], joined: '' };
        break;
      }
      case 'text-delta':
      case 'reasoning-delta':
      case 'tool-input-delta':
        demand(open?.id === part['id'] && open?.kind === kindOf(type), 'it belongs to the open block');
        demand(isText(part['delta']), 'it is a text with something in it');
        if (open !== undefined) open.joined += String(part['delta']);
        break;
      case 'text-end':
      case 'reasoning-end':
      case 'tool-input-end':
        demand(open?.id === part['id'] && open?.kind === kindOf(type), 'it closes the open block');
        demand(type === 'tool-input-end' || open?.joined !== '', 'no block is empty');
        if (type === 'tool-input-end') endedInput = open;
        open = undefined;
        break;
      case 'tool-call':
        demand(open === undefined, 'its input is closed');
        demand(endedInput?.id === part['toolCallId'], 'it has the id of the input before it');
        demand(endedInput?.toolName === part['toolName'], 'it has the name of the input before it');
        demand(endedInput?.joined === part['input'], 'its input equals the joined deltas');
        demand(isJsonObject(part['input']), 'its input is the text of a JSON object');
        endedInput = undefined;
        calls += 1;
        break;
      case 'error':
        demand(open === undefined, 'open blocks are closed before it');
        failed = true;
        break;
      case 'finish': {
        demand(open === undefined, 'every block is closed');
        const { unified, raw } = part['finishReason'] as { unified: unknown; raw?: unknown };
        demand(knownReasons.has(unified), 'its reason is one that every release knows');
        demand((unified === 'error') === failed, 'the reason error stands for an error part');
        demand(failed || isText(raw), 'it has a raw reason');
        demand(
          (unified === 'tool-calls') === (calls > 0 && unified !== 'length' && !failed),
          'calls finish with tool-calls',
        );
        demand(usageFault(part['usage']) === undefined, usageFault(part['usage']) ?? '');
        finished = true;
        break;
      }
    }
  }
  if (complete && !finished) throw new Error('The stream has no finish.');
  if (!complete && finished) throw new Error('The stream has a finish although it was left.');
}

/** Content of an answer as `doGenerate` gives it. */
export function foldParts(parts: readonly StreamPart[]): unknown[] {
  const content: unknown[] = [];
  let joined = '';
  for (const part of parts) {
    const kind = kindOf(part.type);
    if (part.type.endsWith('-start')) joined = '';
    else if (part.type.endsWith('-delta')) joined += String(part['delta']);
    else if (kind !== 'tool-input' && part.type.endsWith('-end')) content.push({ type: kind, text: joined });
    else if (part.type === 'tool-call') content.push(part);
  }
  return content;
}

function kindOf(type: string): BlockKind {
  return type.replace(/-(?:start|delta|end)$/u, '') as BlockKind;
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}

function isJson(value: unknown): boolean {
  return JSON.stringify(JSON.parse(JSON.stringify(value))) === JSON.stringify(value);
}

function isJsonObject(text: unknown): boolean {
  const value: unknown = JSON.parse(String(text));
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Every key of the usage is there, and the parts make up the whole. */
function usageFault(usage: unknown): string | undefined {
  const { inputTokens, outputTokens } = usage as {
    readonly inputTokens: Readonly<Record<string, number | undefined>>;
    readonly outputTokens: Readonly<Record<string, number | undefined>>;
  };
  const inputKeys = Object.keys(inputTokens).toSorted().join();
  if (inputKeys !== 'cacheRead,cacheWrite,noCache,total')
    return `input usage has all keys, found ${inputKeys}`;
  const outputKeys = Object.keys(outputTokens).toSorted().join();
  if (outputKeys !== 'reasoning,text,total') return `output usage has all keys, found ${outputKeys}`;
  for (const value of [...Object.values(inputTokens), ...Object.values(outputTokens)]) {
    if (value !== undefined && !(Number.isInteger(value) && value >= 0))
      return `usage counts, found ${value}`;
  }
  const { total, noCache, cacheRead } = inputTokens;
  if (total !== undefined && total !== (noCache ?? 0) + (cacheRead ?? 0)) return 'input usage adds up';
  if (
    outputTokens['total'] !== undefined &&
    outputTokens['total'] !== (outputTokens['text'] ?? 0) + (outputTokens['reasoning'] ?? 0)
  ) {
    return 'output usage adds up';
  }
  return undefined;
}
