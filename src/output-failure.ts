import { RivuletError } from './errors.ts';
import type { CallableTool } from './grammar/calls/call-grammar.ts';
import { outputGrammar } from './grammar/output-grammar.ts';
import type { OutputDemand } from './grammar/output-grammar.ts';

/** Why there is no grammar for an output; where a tool's schema is the reason, with the name of that tool. */
export function outputFailure(error: unknown, demand: OutputDemand): unknown {
  if (!RivuletError.isInstance(error)) return error;
  const { answer: _answer, ...calls } = demand;
  for (const tool of demand.tools) {
    try {
      outputGrammar({ ...calls, tools: [tool] });
    } catch (cause) {
      return RivuletError.isInstance(cause) ? ofTool(cause, tool) : cause;
    }
  }
  return error;
}

function ofTool(cause: RivuletError, { name, callerName = name }: CallableTool): RivuletError {
  return new RivuletError(cause.code, `The parameters of the tool "${callerName}": ${cause.message}`, {
    cause,
    details: { ...cause.details, option: 'tools', toolName: callerName },
  });
}
