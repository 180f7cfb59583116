import { isEqual } from './compare-values.ts';
import type { RenderContext } from './render-context.ts';
import { Callable, Fields, Tuple, Undefined } from './values.ts';
import type { Value } from './values.ts';

/** What `loop` offers inside a for statement (Jinja2's `LoopContext`). */
export function loopFields(
  context: RenderContext,
  items: readonly Value[],
  state: { readonly index: number },
): Fields {
  let last: Value | undefined;
  const cycle = new Callable(
    'cycle',
    ({ positional }) => positional[state.index % positional.length] ?? null,
  );
  const changed = new Callable('changed', ({ positional }) => {
    const value = new Tuple(positional);
    const isChanged = last === undefined || !isEqual(context, last, value);
    last = value;
    return isChanged;
  });
  const item = (index: number, name: string): Value => {
    const found = items[index];
    return found === undefined ? new Undefined(`there is no ${name} item`) : found;
  };
  return new Fields('LoopContext', (name) => {
    const { index } = state;
    switch (name) {
      case 'index':
        return index + 1;
      case 'index0':
        return index;
      case 'revindex':
        return items.length - index;
      case 'revindex0':
        return items.length - index - 1;
      case 'first':
        return index === 0;
      case 'last':
        return index === items.length - 1;
      case 'length':
        return items.length;
      case 'depth':
        return 1;
      case 'depth0':
        return 0;
      case 'previtem':
        return item(index - 1, 'previous');
      case 'nextitem':
        return item(index + 1, 'next');
      case 'cycle':
        return cycle;
      case 'changed':
        return changed;
      default:
        return undefined;
    }
  });
}
