import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createDetokenizer } from '../../src/tokenizer/detokenizer.ts';
import type { Tokenizer } from '../../src/tokenizer/tokenizer.ts';

export interface TokenizerContractOptions {
  /** Texts come back as they were: the vocabulary has a token for each byte and changes nothing. @default true */
  readonly lossless?: boolean;
}

/** What every {@link Tokenizer} promises. */
export function tokenizerContract(
  name: string,
  tokenizer: Tokenizer,
  options: TokenizerContractOptions = {},
): void {
  const { lossless = true } = options;
  /** `▁` is how some vocabularies write a space, so it does not come back. */
  const texts = fc
    .oneof(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'binary' }), fc.lorem({ maxCount: 20 }))
    .map((text) => text.replaceAll('\u2581', '_'));
  const ids = fc.array(fc.nat(tokenizer.vocabularySize - 1), { maxLength: 40 });

  describe(`Tokenizer contract: ${name}`, () => {
    it.runIf(lossless)('gives every text back', () => {
      fc.assert(
        fc.property(texts, (text) => {
          const encoded = tokenizer.encode(text);
          expect(tokenizer.decode(encoded, { special: true, cleanSpaces: false })).toBe(text);
        }),
      );
    });

    it('gives only ids of the vocabulary, and the same ones each time', () => {
      fc.assert(
        fc.property(texts, fc.boolean(), fc.boolean(), (text, parseSpecial, addSpecial) => {
          const encoded = tokenizer.encode(text, { parseSpecial, addSpecial });
          expect(encoded.every((id) => id >= 0 && id < tokenizer.vocabularySize)).toBe(true);
          expect(tokenizer.encode(text, { parseSpecial, addSpecial })).toEqual(encoded);
        }),
      );
    });

    it.runIf(lossless).each([
      ['nothing', ''],
      ['U+0000', 'a\0b\0'],
      ['a byte-order mark', '\ufeffa\ufeff'],
      ['newlines of all kinds', '\r\n\n\r\u0085\u2028'],
      ['characters beyond the basic plane', '😀👨‍👩‍👧𠀀\u{10ffff}'],
    ])('keeps %s', (_, text) => {
      expect(tokenizer.decode(tokenizer.encode(text), { special: true, cleanSpaces: false })).toBe(text);
    });

    it('reads a lone surrogate as U+FFFD', () => {
      expect(tokenizer.encode('a\ud800b\udfff')).toEqual(tokenizer.encode('a\ufffdb\ufffd'));
    });

    it('puts the marks that it names around a text, and no others', () => {
      const inner = Array.from(tokenizer.encode('some text'));
      expect(Array.from(tokenizer.encode('some text', { addSpecial: true }))).toEqual([
        ...(tokenizer.addBos ? [tokenizer.bosId] : []),
        ...inner,
        ...(tokenizer.addSeparator === true ? [tokenizer.separatorId] : []),
        ...(tokenizer.addEos ? [tokenizer.eosId] : []),
      ]);
    });

    it('recognises a control token only where it may', () => {
      expect(tokenizer.controlTexts.length).toBeGreaterThan(0);
      for (const control of tokenizer.controlTexts) {
        const id = tokenizer.idOf(control);
        expect(Array.from(tokenizer.encode(control, { parseSpecial: true }))).toEqual([id]);
        if (!tokenizer.isSpecial(id)) continue;
        const guards = Array.from({ length: control.length + 1 }, (_, index) => index);
        for (const plain of [
          tokenizer.encode(control),
          tokenizer.encode(control, { parseSpecial: true, guards }),
          tokenizer.encode(`${control}${control}`, { parseSpecial: true, guards: [1, control.length + 1] }),
        ]) {
          expect(
            Array.from(plain).filter((found) => tokenizer.isSpecial(found) && found !== tokenizer.unknownId),
            control,
          ).toEqual([]);
        }
        expect(
          Array.from(tokenizer.encode(`${control}${control}`, { parseSpecial: true, guards: [1] })),
        ).toContain(id);
      }
    });

    it('has a role for the ids it names', () => {
      for (const id of tokenizer.endIds) expect(tokenizer.idOf(tokenizer.tokenText(id))).toBe(id);
      expect(tokenizer.endIds.size).toBeGreaterThan(0);
      if (tokenizer.eosId === -1) return;
      expect(tokenizer.tokenBytes(tokenizer.eosId)).toHaveLength(0);
      expect(new TextDecoder().decode(tokenizer.tokenBytes(tokenizer.eosId, true))).toBe(
        tokenizer.tokenText(tokenizer.eosId),
      );
    });

    it.each([-1, 0.5, Number.NaN, tokenizer.vocabularySize])('has no token %d', (id) => {
      const wrong = expect.objectContaining({ code: 'INVALID_ARGUMENT' });
      expect(() => tokenizer.tokenBytes(id)).toThrow(wrong);
      expect(() => tokenizer.tokenText(id)).toThrow(wrong);
      expect(() => tokenizer.decode([id])).toThrow(wrong);
      expect(tokenizer.isSpecial(id)).toBe(false);
    });

    it('has no id for an unknown spelling', () => {
      expect(tokenizer.idOf('no such token is in any vocabulary')).toBe(-1);
      expect(tokenizer.idOf('__proto__')).toBe(-1);
    });

    it('streams what it decodes, for any ids', () => {
      fc.assert(
        fc.property(ids, fc.boolean(), (sequence, special) => {
          const detokenizer = createDetokenizer(tokenizer, { special });
          const streamed = sequence.map((id) => detokenizer.push(id)).join('') + detokenizer.flush();
          expect(streamed).toBe(tokenizer.decode(sequence, { special, cleanSpaces: false }));
        }),
      );
    });

    it.runIf(lossless)('streams texts without half characters', () => {
      fc.assert(
        fc.property(texts, (text) => {
          fc.pre(!text.includes('\ufffd'));
          const detokenizer = createDetokenizer(tokenizer, { special: true });
          let streamed = '';
          for (const id of tokenizer.encode(text)) {
            streamed += detokenizer.push(id);
            expect(text.startsWith(streamed)).toBe(true);
          }
          expect(streamed + detokenizer.flush()).toBe(text);
        }),
      );
    });
  });
}
