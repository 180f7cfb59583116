import type { ReactNode } from 'react';
import type { ChatMessage } from '@/lib/messages';

type ToolPart = Extract<ChatMessage['parts'][number], { type: `tool-${string}` }>;

const titles: Readonly<Record<ToolPart['type'], string>> = {
  'tool-bookAppointment': 'Book an appointment',
  'tool-currentTime': 'Look at the clock',
};

interface ToolViewProps {
  readonly part: ToolPart;
  /** The answer that the call belongs to is being written; a stopped one leaves calls as they were. */
  readonly running: boolean;
  readonly onApproval: ((approvalId: string, approved: boolean) => void) | undefined;
}

export function ToolView(props: ToolViewProps): ReactNode {
  const { part } = props;
  return (
    <section className="tool" data-state={part.state}>
      <h3>{titles[part.type]}</h3>
      <pre>{JSON.stringify(part.input ?? {}, undefined, 2)}</pre>
      <Outcome {...props} />
    </section>
  );
}

function Outcome({ part, running, onApproval }: ToolViewProps): ReactNode {
  switch (part.state) {
    case 'input-streaming':
      return <p>{running ? 'Writing the call …' : 'Stopped: it did not run.'}</p>;
    case 'input-available':
      return <p>{running ? 'Running …' : 'Stopped.'}</p>;
    case 'approval-requested':
      if (onApproval === undefined) return <p>Not approved: it did not run.</p>;
      return (
        <div className="approval">
          <span>May this run?</span>
          <button type="button" className="send" onClick={() => onApproval(part.approval.id, true)}>
            Approve
          </button>
          <button type="button" onClick={() => onApproval(part.approval.id, false)}>
            Deny
          </button>
        </div>
      );
    case 'approval-responded':
      return <p>{part.approval.approved ? 'Approved' : 'Denied'}</p>;
    case 'output-available':
      return <p className="result">{String(part.output)}</p>;
    case 'output-denied':
      return <p className="result">Denied: it did not run.</p>;
    case 'output-error':
      return <p className="problem">{part.errorText}</p>;
  }
}
