import { RivuletError } from '../errors.ts';
import type { ToolDefinition } from './messages.ts';
import type { OfferedTool } from './output/call-context.ts';
import type { ToolFormat } from './tool-format.ts';

/** Names that every form of writing and every template takes; Python's form needs identifiers. */
const plainName = /^[A-Za-z0-9_-]+$/;
const identifier = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** Tools by the names that the model gets to see, and back. */
export interface ToolNames {
  /** By the name that the model knows, in the caller's order. */
  readonly offered: ReadonlyMap<string, OfferedTool>;
  /** The name that the model knows for a caller's name, of a tool of an earlier turn, too. */
  forModel(name: string): string;
}

/**
 * Gives each tool a name that the model can write.
 * @throws {RivuletError} `INVALID_ARGUMENT` when a name is empty or there are two of it
 */
export function nameTools(tools: readonly ToolDefinition[], format: ToolFormat | undefined): ToolNames {
  const pattern = format?.writing.arguments.kind === 'python' ? identifier : plainName;
  const offered = new Map<string, OfferedTool>();
  const names = new Map<string, string>();
  const taken = new Set(tools.map((tool) => tool.name).filter((name) => pattern.test(name)));

  const nameFor = (name: string): string => {
    const known = names.get(name);
    if (known !== undefined) return known;
    let result = name;
    if (!pattern.test(name)) {
      const base = writable(name, pattern);
      result = base;
      for (let count = 2; taken.has(result); count += 1) result = `${base}_${count}`;
    }
    taken.add(result);
    names.set(name, result);
    return result;
  };

  for (const tool of tools) {
    if (tool.name === '' || names.has(tool.name)) {
      const found = tool.name === '' ? 'an empty one' : `"${tool.name}" twice`;
      throw new RivuletError(
        'INVALID_ARGUMENT',
        `Expected every tool to have a name of its own, but got ${found}. Rename the tool or leave it away.`,
        { details: { option: 'tools', toolName: tool.name } },
      );
    }
    offered.set(nameFor(tool.name), { name: tool.name, parameters: tool.parameters });
  }
  return { offered, forModel: nameFor };
}

function writable(name: string, pattern: RegExp): string {
  const ascii = name.normalize('NFKD').replaceAll(/\p{Mark}/gu, '');
  const joined = ascii.replaceAll(pattern === identifier ? /[^A-Za-z0-9_]+/g : /[^A-Za-z0-9_-]+/g, '_');
  const trimmed = joined.replaceAll(/^_+|_+$/g, '') || 'tool';
  return pattern.test(trimmed) ? trimmed : `_${trimmed}`;
}
