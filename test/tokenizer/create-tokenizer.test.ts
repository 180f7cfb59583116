import { describe, expect, test } from 'vitest';
import { Metadata, type MetadataValue } from '../../src/gguf/metadata.ts';
import { createTokenizer } from '../../src/tokenizer/create-tokenizer.ts';
import type { Tokenizer } from '../../src/tokenizer/tokenizer.ts';
import { bytePairMetadata, sentencePieceMetadata, type SmallToken } from './small-vocabulary.ts';

const control = 3;
const userDefined = 4;
const end: SmallToken = ['<|endoftext|>', control];

function tokens(tokenizer: Tokenizer, ids: Iterable<number>): readonly string[] {
  return Array.from(ids, (id) => tokenizer.tokenText(id));
}

describe('kinds', () => {
  test.each([
    ['rwkv', 'RWKV'],
    ['plamo2', 'PLaMo 2'],
    ['none', 'no vocabulary'],
    ['something', 'an unknown kind'],
  ])('%s is not read yet, and the error says so', (model, kind) => {
    const metadata = new Metadata(new Map<string, MetadataValue>([['tokenizer.ggml.model', model]]));
    expect(() => createTokenizer(metadata)).toThrow(
      expect.objectContaining({
        code: 'TOKENIZER_UNSUPPORTED',
        details: { model, kind },
        message: expect.stringMatching(/gpt2 and gemma4.*llama.*bert.*t5.*found "/) as string,
      }),
    );
  });

  test.each([
    ['no model', 'METADATA_MISSING', ['tokenizer.ggml.model', undefined]],
    ['no tokens', 'METADATA_MISSING', ['tokenizer.ggml.tokens', undefined]],
    ['an empty list', 'TOKENIZER_INVALID', ['tokenizer.ggml.tokens', []]],
    ['tokens that are numbers', 'METADATA_WRONG_TYPE', ['tokenizer.ggml.tokens', Int32Array.of(1)]],
    ['too few types', 'TOKENIZER_INVALID', ['tokenizer.ggml.token_type', Int32Array.of(1)]],
    ['too few scores', 'TOKENIZER_INVALID', ['tokenizer.ggml.scores', Float32Array.of(1)]],
    ['no merges', 'METADATA_MISSING', ['tokenizer.ggml.merges', undefined]],
  ] as const)('%s is a typed error', (_, code, [key, value]) => {
    const entries = new Map<string, MetadataValue>(bytePairMetadata([end], []).entries);
    if (value === undefined) entries.delete(key);
    else entries.set(key, value);
    expect(() => createTokenizer(new Metadata(entries))).toThrow(expect.objectContaining({ code }));
  });

  test.each(['', 'of-tomorrow'])('the pre-tokenizer "%s" becomes the default one, with a warning', (pre) => {
    const metadata = bytePairMetadata([end], [], { 'tokenizer.ggml.pre': pre });
    const tokenizer = createTokenizer(metadata);
    expect(tokenizer.warnings).toEqual([expect.stringContaining(pre === '' ? 'no pre-tokenizer' : pre)]);
    expect(tokenizer.decode(tokenizer.encode('a b'))).toBe('a b');
  });
});

describe('merges', () => {
  test('by rank, then from left to right', () => {
    const tokenizer = createTokenizer(
      bytePairMetadata([end, 'ab', 'bc', 'abc', 'aa'], ['b c', 'a b', 'a bc', 'a a']),
    );
    expect(tokens(tokenizer, tokenizer.encode('abc'))).toEqual(['abc']);
    expect(tokens(tokenizer, tokenizer.encode('aaaaa'))).toEqual(['aa', 'aa', 'a']);
    expect(tokens(tokenizer, tokenizer.encode('ab'))).toEqual(['ab']);
  });

  test('a merge through a text that is no token, and one that ends in it', () => {
    const tokenizer = createTokenizer(bytePairMetadata([end, 'xyz'], ['x y', 'xy z']));
    expect(tokens(tokenizer, tokenizer.encode('xyz'))).toEqual(['xyz']);
    expect(tokens(tokenizer, tokenizer.encode('xy'))).toEqual(['x', 'y']);
  });

  test('a whole word that is a token, where the pre-tokenizer wants that', () => {
    const list: SmallToken[] = [end, 'whole', 'wh'];
    const merging = createTokenizer(bytePairMetadata(list, ['w h']));
    const whole = createTokenizer(bytePairMetadata(list, ['w h'], { 'tokenizer.ggml.pre': 'llama-bpe' }));
    expect(tokens(merging, merging.encode('whole'))).toEqual(['wh', 'o', 'l', 'e']);
    expect(tokens(whole, whole.encode('whole'))).toEqual(['whole']);
  });

  test('damaged merges are left out', () => {
    const tokenizer = createTokenizer(bytePairMetadata([end, 'ab'], ['', 'a', 'a ', ' b', 'a b', 'a b']));
    expect(tokens(tokenizer, tokenizer.encode('ab'))).toEqual(['ab']);
  });

  test('SPM merges by score, then from left to right, and falls back to bytes', () => {
    const tokenizer = createTokenizer(
      sentencePieceMetadata([
        ['a', 1, -5],
        ['b', 1, -5],
        ['c', 1, -5],
        ['▁', 1, -5],
        ['ab', 1, -2],
        ['bc', 1, -1],
        ['▁a', 1, -3],
      ]),
    );
    expect(tokens(tokenizer, tokenizer.encode('abc'))).toEqual(['▁a', 'bc']);
    expect(tokens(tokenizer, tokenizer.encode('a é'))).toEqual(['▁a', '▁', '<0xC3>', '<0xA9>']);
    expect(tokenizer.decode(tokenizer.encode('a é'))).toBe('a é');
  });

  test('SPM without byte tokens writes the unknown token', () => {
    const metadata = new Metadata(
      new Map<string, MetadataValue>([
        ['tokenizer.ggml.model', 'llama'],
        ['tokenizer.ggml.tokens', ['<unk>', '<s>', '</s>', '▁', 'a']],
      ]),
    );
    const tokenizer = createTokenizer(metadata);
    expect(tokens(tokenizer, tokenizer.encode('aé'))).toEqual(['▁', 'a', '<unk>', '<unk>']);
  });
});

describe('roles', () => {
  test('what the metadata names, where it exists', () => {
    const tokenizer = createTokenizer(
      bytePairMetadata([end, ['<pad>', control], ['<go>', control]], [], {
        'tokenizer.ggml.bos_token_id': 258,
        'tokenizer.ggml.eos_token_id': 99_999,
        'tokenizer.ggml.padding_token_id': 257,
        'tokenizer.ggml.eot_token_id': 258,
        'tokenizer.ggml.add_bos_token': true,
        'tokenizer.ggml.add_eos_token': true,
      }),
    );
    expect(tokenizer).toMatchObject({
      bosId: 258,
      eosId: 11,
      unknownId: -1,
      paddingId: 257,
      addBos: true,
      addEos: true,
    });
    expect(tokenizer.endIds).toEqual(new Set([256, 11, 258]));
    expect(Array.from(tokenizer.encode('', { addSpecial: true }))).toEqual([258, 11]);
  });

  test('a mark that is wanted but does not exist is left out, with a warning', () => {
    const tokenizer = createTokenizer(
      bytePairMetadata([end], [], {
        'tokenizer.ggml.pre': 'glm4',
        'tokenizer.ggml.bos_token_id': -1,
        'tokenizer.ggml.add_bos_token': true,
      }),
    );
    expect(tokenizer).toMatchObject({ bosId: -1, addBos: false });
    expect(tokenizer.warnings).toEqual([expect.stringContaining('beginning token')]);
    expect(Array.from(tokenizer.encode('a', { addSpecial: true }))).toEqual(
      Array.from(tokenizer.encode('a')),
    );
  });

  test('an end token is a control token whatever the file says', () => {
    const tokenizer = createTokenizer(bytePairMetadata([end, '<|im_end|>'], []));
    expect(tokenizer.endIds).toContain(257);
    expect(tokenizer.isSpecial(257)).toBe(true);
    expect(tokenizer.controlTexts).toContain('<|im_end|>');
    expect(tokenizer.encode('<|im_end|>')).not.toContain(257);
    expect(Array.from(tokenizer.encode('<|im_end|>', { parseSpecial: true }))).toEqual([257]);
  });

  test('harmony: <|end|> ends a message only, and the channel tokens are written out but guarded', () => {
    const names = ['<|start|>', '<|end|>', '<|message|>', '<|channel|>', '<|return|>', '<|call|>'];
    const tokenizer = createTokenizer(
      bytePairMetadata([end, ...names.map((name) => [name, control] as const)], []),
    );
    const endTexts = tokens(tokenizer, tokenizer.endIds).toSorted();
    expect(endTexts).toEqual(['<|call|>', '<|endoftext|>', '<|return|>']);
    expect(tokenizer.decode(tokenizer.encode('<|channel|>x<|end|>', { parseSpecial: true }))).toBe(
      '<|channel|>x<|end|>',
    );
    expect(tokenizer.controlTexts).toEqual(expect.arrayContaining(names));
  });

  test('gemma 4: </s> is an HTML tag', () => {
    const tokenizer = createTokenizer(
      bytePairMetadata([end, ['</s>', userDefined], ['<|tool_response>', control], ['<turn|>', control]], []),
    );
    expect(tokens(tokenizer, tokenizer.endIds).toSorted()).toEqual([
      '<turn|>',
      '<|endoftext|>',
      '<|tool_response>',
    ]);
    expect(tokenizer.isSpecial(257)).toBe(false);
  });

  test('fill-in-the-middle padding and separators end a generation', () => {
    const tokenizer = createTokenizer(
      bytePairMetadata([end, '<fim_pad>', '<|repo_name|>', '<fim_prefix>'], []),
    );
    expect(tokens(tokenizer, tokenizer.endIds).toSorted()).toEqual([
      '<fim_pad>',
      '<|endoftext|>',
      '<|repo_name|>',
    ]);
    expect(tokenizer.isSpecial(259)).toBe(true);
  });

  test('a token without text has a name of its own', () => {
    const tokenizer = createTokenizer(bytePairMetadata([end, ''], []));
    expect(tokenizer.tokenText(257)).toBe('[EMPTY_257]');
  });
});

describe('pieces', () => {
  test('unused tokens write nothing, byte tokens their byte, foreign characters a mark', () => {
    const tokenizer = createTokenizer(
      bytePairMetadata([end, ['unused', 5], ['<0xE2>', 6], 'a☃', ['odd', 0]], []),
    );
    expect(tokenizer.tokenBytes(257)).toHaveLength(0);
    expect(Array.from(tokenizer.tokenBytes(258))).toEqual([0xe2]);
    expect(new TextDecoder().decode(tokenizer.tokenBytes(259))).toBe('a[UNK_BYTE_0xe29883a☃]');
    expect(tokenizer.tokenBytes(260)).toHaveLength(0);
  });

  test('SPM removes one space at the start, unless a beginning token stood there', () => {
    const tokenizer = createTokenizer(
      sentencePieceMetadata([
        ['▁', 1],
        ['▁hi', 1],
      ]),
    );
    const hi = tokenizer.idOf('▁hi');
    const space = tokenizer.idOf('▁');
    expect(tokenizer.decode([hi, hi])).toBe('hi hi');
    expect(tokenizer.decode([space, hi])).toBe(' hi');
    expect(tokenizer.decode([tokenizer.bosId, hi])).toBe(' hi');
    expect(tokenizer.decode([tokenizer.bosId, hi], { special: true })).toBe('<s> hi');
  });
});
