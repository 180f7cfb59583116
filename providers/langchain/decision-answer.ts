import type { Question } from '@langchain/core/decisions';

/** @param probabilities of the labels in the order of the question's criteria; they add up to 1 */
export function readAnswer(question: Question, probabilities: readonly number[]): object {
  const confidence = Math.max(...probabilities);
  switch (question.type) {
    case 'choice': {
      const labels = Object.keys(question.criteria);
      return {
        type: 'choice',
        choice: labels[probabilities.indexOf(confidence)],
        probabilities: Object.fromEntries(labels.map((label, index) => [label, probabilities[index]])),
        confidence,
      };
    }
    case 'score':
      return {
        type: 'score',
        score: probabilities.reduce((sum, probability, level) => sum + probability * level, 0),
        legend: { ...question.criteria },
        probabilities: { ...probabilities },
        confidence,
      };
    default:
      return { type: 'noul', noul: probabilities[0] };
  }
}
