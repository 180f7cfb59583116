import type { Question } from '@langchain/core/decisions';
import { RivuletError } from '../../src/errors.ts';

export interface DescribedQuestion {
  readonly prompt: string;
  /** What the answer may begin with, in the order of the question's criteria; yes before no. */
  readonly labels: readonly string[];
}

const letters = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ'];
const digits = [...'0123456789'];

/** @throws {RivuletError} `UNSUPPORTED` */
export function describeQuestion(question: Question): DescribedQuestion {
  const instructions = toText(question.instructions);
  switch (question.type) {
    case 'noul': {
      const { true: yes, false: no } = question.criteria ?? {};
      const criteria = [
        ...(yes === undefined ? [] : [`Yes: ${toText(yes)}`]),
        ...(no === undefined ? [] : [`No: ${toText(no)}`]),
      ];
      const prompt = [instructions, ...criteria, 'Answer with Yes or No only.'].join('\n');
      return { prompt, labels: ['Yes', 'No'] };
    }
    case 'choice': {
      const options = Object.entries(question.criteria).map(([label, description]) =>
        description === null ? label : `${label}: ${toText(description)}`,
      );
      return lettered(instructions, options, letters, 'the letter of the best option');
    }
    case 'score':
      return lettered(
        instructions,
        question.criteria.map(toText),
        question.criteria.length > digits.length ? letters : digits,
        'the mark of the level that fits best',
      );
    case 'box':
      throw unsupported(
        'Local models do not see, so they cannot say where something is; leave questions of the type "box" out.',
      );
  }
}

function lettered(
  instructions: string,
  options: readonly string[],
  marks: readonly string[],
  wanted: string,
): DescribedQuestion {
  if (options.length > marks.length) {
    throw unsupported(
      `A question has at most ${marks.length} labels here, found ${options.length}; split it into several questions.`,
    );
  }
  const labels = marks.slice(0, options.length);
  const lines = options.map((option, index) => `${labels[index] ?? ''}. ${option}`);
  return { prompt: [instructions, ...lines, `Answer with ${wanted} only.`].join('\n'), labels };
}

function toText(content: unknown): string {
  return typeof content === 'string' ? content : JSON.stringify(content);
}

function unsupported(message: string): RivuletError {
  return new RivuletError('UNSUPPORTED', message, { details: { option: 'questions' } });
}
