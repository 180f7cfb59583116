import { Document } from '@langchain/core/documents';
import { RecursiveCharacterTextSplitter } from '@langchain/textsplitters';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { LocalTextSplitter } from '../../../providers/langchain/index.ts';
import { scriptedModel } from '../../../src/testing.ts';

/** One token per byte. */
const model = scriptedModel({ outputs: [] });

test('cuts at the best separator that makes the pieces short enough', async () => {
  const splitter = new LocalTextSplitter({ model, chunkSize: 12 });
  expect(await splitter.splitText('One two.\n\nThree four five. Six.')).toEqual([
    'One two.',
    'Three four',
    'five. Six.',
  ]);
});

test('neighbours go together as long as they fit, and repeat what they may', async () => {
  const splitter = new LocalTextSplitter({ model, chunkSize: 8, chunkOverlap: 4 });
  expect(await splitter.splitText('aa bb cc dd ee ff')).toEqual(['aa bb cc', 'cc dd ee', 'ee ff']);
});

test('a word that is too long is cut between characters, never within one', async () => {
  const splitter = new LocalTextSplitter({ model, chunkSize: 5 });
  expect(await splitter.splitText('ääää')).toEqual(['ää', 'ää']);
  expect(await splitter.splitText('👩‍👩‍👧x')).toEqual(['👩‍👩‍👧', 'x']);
});

test('documents keep their metadata and say where they come from', async () => {
  const splitter = new LocalTextSplitter({ model, chunkSize: 8 });
  const documents = await splitter.invoke([
    new Document({ pageContent: 'One two\n\n  three', metadata: { source: 'a', loc: { page: 2 } } }),
  ]);
  expect(documents.map(({ pageContent, metadata }) => [pageContent, metadata])).toEqual([
    ['One two', { source: 'a', loc: { page: 2, start: 0, end: 7 } }],
    ['three', { source: 'a', loc: { page: 2, start: 11, end: 16 } }],
  ]);
});

test('no chunk is too long, nothing but white space is lost, offsets are right', async () => {
  const word = fc.constantFrom('a', 'bc', 'Wörter', ' ', '\n', '\n\n', '. ', '日本語', 'x'.repeat(30));
  await fc.assert(
    fc.asyncProperty(
      fc.array(word, { maxLength: 40 }).map((words) => words.join('')),
      fc.integer({ min: 3, max: 20 }),
      fc.integer({ min: 0, max: 2 }),
      async (text, chunkSize, chunkOverlap) => {
        const splitter = new LocalTextSplitter({ model, chunkSize, chunkOverlap });
        const documents = await splitter.createDocuments([text]);
        let covered = 0;
        for (const { pageContent, metadata } of documents) {
          const { start, end } = (metadata as { loc: { start: number; end: number } }).loc;
          expect(model.countTokens(pageContent)).toBeLessThanOrEqual(chunkSize);
          expect(text.slice(start, end)).toBe(pageContent);
          expect(text.slice(covered, Math.max(start, covered)).trim()).toBe('');
          expect(end).toBeGreaterThan(covered);
          covered = end;
        }
        expect(text.slice(covered).trim()).toBe('');
      },
    ),
    { numRuns: 300 },
  );
});

test('the count of tokens serves other splitters', async () => {
  const splitter = new RecursiveCharacterTextSplitter({
    chunkSize: 6,
    chunkOverlap: 0,
    lengthFunction: LocalTextSplitter.lengthFunction({ model }),
  });
  expect(await splitter.splitText('ääää öööö')).toEqual(['äää', 'ä', 'öö', 'öö']);
});

test('sizes that make no sense', () => {
  const refused = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
  expect(() => new LocalTextSplitter({ model, chunkSize: 0 })).toThrow(refused);
  expect(() => new LocalTextSplitter({ model, chunkSize: 5, chunkOverlap: 5 })).toThrow(refused);
});
