import { answerFormat } from '../output/read-answer.ts';
import { createStreamParser } from '../parse-stream.ts';
import type { ChatTemplate } from '../template.ts';
import type { ToolFormat } from '../tool-format.ts';
import { analyseCalls } from './analyse-calls.ts';
import { hermes } from './json-formats.ts';
import { findKnownFormat } from './known-formats.ts';
import type { KnownFormat } from './known-formats.ts';
import {
  probeCall,
  probeResult,
  probeSystem,
  probeTemplate,
  probeText,
  probeTool,
} from './probe-template.ts';
import { writeCalls } from './write-calls.ts';

/** How a model calls tools and what of it its template can say. */
export interface ToolSupport {
  readonly format: ToolFormat;
  /** The template shows the tools to the model. */
  readonly showsTools: boolean;
  /** … and calls of earlier turns. */
  readonly showsCalls: boolean;
  /** … and their results. */
  readonly showsResults: boolean;
  readonly showsSystem: boolean;
}

const detected = new WeakMap<ChatTemplate, ToolSupport>();

/**
 * The form that the template gives away by known texts, or the vocabulary by its tokens; or, where the template has
 * some other form, the one in which it writes a call; or else the most common one, which the model then has to be told.
 */
export function detectTools(template: ChatTemplate): ToolSupport {
  let support = detected.get(template);
  if (support === undefined) {
    support = detect(template);
    detected.set(template, support);
  }
  return support;
}

function detect(template: ChatTemplate): ToolSupport {
  const probes = probeTemplate(template);
  const rendered = [probes.call ?? '', probes.result ?? ''];
  const candidates =
    findKnownFormat(template.toolSource ?? template.source)?.tools ??
    findByTokens(template.controlTexts)?.tools ??
    [];
  const isWritten = (format: ToolFormat): boolean => {
    const call = writeCalls(format, [probeCall]).trim();
    return rendered.some((one) => one.includes(call));
  };
  const twoCalls = [probeCall, { ...probeCall, id: 'call00001' }];
  const areWritten = (format: ToolFormat): boolean =>
    probes.calls?.includes(writeCalls(format, twoCalls).trim()) === true;
  const showsCalls = rendered.some((text) => text.includes(probeText));
  const analysed = candidates.length === 0 && showsCalls ? checked(analyseCalls(probes)) : undefined;
  return {
    format: candidates.find(areWritten) ?? candidates.find(isWritten) ?? candidates[0] ?? analysed ?? hermes,
    showsTools: probes.prompt?.includes(probeCall.name) === true,
    showsCalls,
    showsResults: probes.result?.includes(probeResult) === true,
    showsSystem: probes.system?.includes(probeSystem) === true,
  };
}

/** A vocabulary with tokens for calls tells what its model was trained on, whatever the template says. */
function findByTokens(controlTexts: readonly string[]): KnownFormat | undefined {
  const known = findKnownFormat(controlTexts.join('\n'));
  return known?.channels === undefined ? known : undefined;
}

/** A form that was guessed counts if it reads what it writes. */
function checked(format: ToolFormat | undefined): ToolFormat | undefined {
  if (format === undefined) return undefined;
  const parser = createStreamParser({
    format: answerFormat({}, format),
    tools: new Map([[probeCall.name, { name: probeCall.name, parameters: probeTool.parameters }]]),
    startsInReasoning: false,
    createId: (kind) => kind,
  });
  const events = [...parser.push(writeCalls(format, [probeCall])), ...parser.end()];
  const expected = JSON.stringify(probeCall.arguments);
  return events.some((event) => event.type === 'tool-call' && event.input === expected) ? format : undefined;
}
