import { ArgumentReader } from './arguments.ts';
import { iterate, keyOf } from './compare-values.ts';
import { asPair } from './container-methods.ts';
import { toText } from './python-text.ts';
import type { RenderContext } from './render-context.ts';
import { plain } from './marked-text.ts';
import { strftime } from './strftime.ts';
import { TemplateRaised, TemplateRuntimeError } from './template-error.ts';
import { Callable, Fields, Namespace } from './values.ts';
import type { Arguments, Dictionary, Value } from './values.ts';

/** The functions that Jinja2 and transformers' `apply_chat_template` put into every template. */
export function templateGlobals(context: RenderContext, now: () => Date): ReadonlyMap<string, Value> {
  const functions: [string, (given: Arguments) => Value][] = [
    ['range', (given) => range(new ArgumentReader(context, 'range', given, ['start', 'stop', 'step']))],
    ['dict', (given) => makeDictionary(context, given)],
    ['namespace', (given) => makeNamespace(context, given)],
    ['joiner', (given) => joiner(new ArgumentReader(context, 'joiner', given, ['sep']))],
    ['cycler', (given) => cycler(given.positional)],
    [
      'raise_exception',
      (given) => {
        throw new TemplateRaised(plain(context, toText(context, given.positional[0] ?? '')));
      },
    ],
    [
      'strftime_now',
      (given) =>
        strftime(now(), new ArgumentReader(context, 'strftime_now', given, ['format']).text('format')),
    ],
  ];
  return new Map(functions.map(([name, call]) => [name, new Callable(name, call)]));
}

function range(given: ArgumentReader): Value {
  const hasStop = given.has('stop');
  const start = hasStop ? given.integer('start', 0) : 0;
  const stop = given.integer(hasStop ? 'stop' : 'start', 0);
  const step = given.integer('step', 1);
  if (step === 0) throw new TemplateRuntimeError('range() arg 3 must not be zero');
  const length = Math.max(0, Math.ceil((stop - start) / step));
  given.context.makeList(length);
  return Array.from({ length }, (_, index) => start + index * step);
}

function makeDictionary(context: RenderContext, given: Arguments): Dictionary {
  const result: Dictionary = new Map();
  const [source] = given.positional;
  if (source instanceof Map) for (const [key, value] of source) result.set(key, value);
  else if (source !== undefined) {
    for (const pair of iterate(context, source)) {
      const [key, value] = asPair(pair);
      result.set(keyOf(key), value);
    }
  }
  for (const [key, value] of given.named) result.set(key, value);
  context.makeList(result.size);
  return result;
}

function makeNamespace(context: RenderContext, given: Arguments): Namespace {
  const result = new Namespace();
  for (const [key, value] of makeDictionary(context, given)) {
    result.attributes.set(toText(context, key), value);
  }
  return result;
}

function joiner(given: ArgumentReader): Callable {
  const separator = given.optionalText('sep') ?? ', ';
  let isFirst = true;
  return new Callable('joiner', () => {
    const text = isFirst ? '' : separator;
    isFirst = false;
    return text;
  });
}

function cycler(items: readonly Value[]): Value {
  let index = 0;
  const current = (): Value => items[index % items.length] ?? null;
  const next = new Callable('next', () => {
    const item = current();
    index += 1;
    return item;
  });
  const reset = new Callable('reset', () => {
    index = 0;
    return null;
  });
  return new Fields('Cycler', (name) => {
    if (name === 'next') return next;
    if (name === 'reset') return reset;
    return name === 'current' ? current() : undefined;
  });
}
