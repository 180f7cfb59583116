import { iterate } from './compare-values.ts';
import { Expressions } from './expressions.ts';
import { loopFields } from './loop-fields.ts';
import type { CallStatementNode, ForNode, Node, SetNode } from './nodes.ts';
import { toText } from './python-text.ts';
import type { RenderContext } from './render-context.ts';
import { Scope } from './scope.ts';
import { TemplateRuntimeError } from './template-error.ts';
import { Callable, isTrue, Namespace, Tuple, Undefined } from './values.ts';
import type { Arguments, Value } from './values.ts';

interface Output {
  text: string;
}

/** How a list of statements ended: at its end, or by `break` or `continue`. */
type Completion = 'break' | 'continue' | undefined;

/** Runs statements as Jinja2 does in Python. */
export class Interpreter {
  readonly #context: RenderContext;
  readonly #expressions: Expressions;

  constructor(context: RenderContext) {
    this.#context = context;
    this.#expressions = new Expressions(context);
  }

  /** The text that the statements write. @throws {TemplateRaised} @throws {TemplateRuntimeError} @throws {TemplateLimitError} */
  render(body: readonly Node[], scope: Scope): string {
    const output: Output = { text: '' };
    this.#run(body, scope, output);
    return output.text;
  }

  #run(body: readonly Node[], scope: Scope, output: Output): Completion {
    for (const node of body) {
      const completion = this.#statement(node, scope, output);
      if (completion !== undefined) return completion;
    }
    return undefined;
  }

  #statement(node: Node, scope: Scope, output: Output): Completion {
    switch (node.type) {
      case 'Comment':
        this.#context.line = Number(node.value);
        return undefined;
      case 'If': {
        const isChosen = isTrue(this.#expressions.evaluate(node.test, scope));
        this.#context.spend();
        return this.#run(isChosen ? node.body : node.alternate, scope, output);
      }
      case 'For':
        return this.#loop(node, scope, output);
      case 'Break':
        return 'break';
      case 'Continue':
        return 'continue';
      case 'Set':
        this.#set(node, scope);
        return undefined;
      case 'Macro':
        scope.set(node.name.value, this.#macro(node.name.value, node.args, node.body, scope));
        return undefined;
      case 'CallStatement':
        return this.#write(output, this.#callWithBody(node, scope));
      case 'FilterStatement': {
        const text = this.render(node.body, new Scope(scope));
        return this.#write(output, this.#expressions.filter(text, node.filter, scope));
      }
      default:
        return this.#write(output, this.#expressions.evaluate(node, scope));
    }
  }

  #write(output: Output, value: Value): undefined {
    const text = toText(this.#context, value);
    this.#context.makeText(output.text.length + text.length, text.length);
    output.text += text;
  }

  #loop(node: ForNode, scope: Scope, output: Output): Completion {
    const { iterable } = node;
    const isFiltered = iterable.type === 'SelectExpression';
    const source = this.#expressions.evaluate(isFiltered ? iterable.lhs : iterable, scope);
    let items = [...iterate(this.#context, source)];
    this.#context.makeList(items.length);
    if (isFiltered) {
      items = items.filter((item) => {
        const inner = new Scope(scope);
        this.#assign(node.loopvar, item, inner);
        return isTrue(this.#expressions.evaluate(iterable.test, inner));
      });
    }
    if (items.length === 0) return this.#run(node.defaultBlock, new Scope(scope), output);
    const state = { index: 0 };
    const loop = loopFields(this.#context, items, state);
    for (const [index, item] of items.entries()) {
      this.#context.spend();
      state.index = index;
      const inner = new Scope(scope);
      inner.set('loop', loop);
      this.#assign(node.loopvar, item, inner);
      if (this.#run(node.body, inner, output) === 'break') break;
    }
    return undefined;
  }

  #set(node: SetNode, scope: Scope): void {
    if (node.value !== null) {
      this.#assign(node.assignee, this.#expressions.evaluate(node.value, scope), scope);
      return;
    }
    const text = this.render(node.body, new Scope(scope));
    const filters: Node[] = [];
    let target = node.assignee;
    for (; target.type === 'FilterExpression'; target = target.operand) filters.unshift(target.filter);
    const apply = (value: Value, filter: Node): Value => this.#expressions.filter(value, filter, scope);
    this.#assign(target, filters.reduce<Value>(apply, text), scope);
  }

  #assign(target: Node, value: Value, scope: Scope): void {
    if (target.type === 'Identifier') {
      scope.set(target.value, value);
    } else if (target.type === 'TupleLiteral' || target.type === 'ArrayLiteral') {
      const items = iterate(this.#context, value);
      const expected = target.value.length;
      if (items.length !== expected) {
        const problem = items.length < expected ? 'not enough' : 'too many';
        throw new TemplateRuntimeError(
          `${problem} values to unpack (expected ${expected}, got ${items.length})`,
        );
      }
      for (const [index, part] of target.value.entries()) this.#assign(part, items[index] ?? null, scope);
    } else if (target.type === 'MemberExpression' && target.property.type === 'Identifier') {
      const object = this.#expressions.evaluate(target.object, scope);
      if (!(object instanceof Namespace)) {
        throw new TemplateRuntimeError('cannot assign attribute on non-namespace object');
      }
      object.attributes.set(target.property.value, value);
    } else {
      throw new TemplateRuntimeError(`cannot assign to ${target.type}`);
    }
  }

  #macro(name: string, parameters: readonly Node[], body: readonly Node[], scope: Scope): Callable {
    return new Callable(name, (given) =>
      this.#context.call(() => {
        const inner = new Scope(scope);
        this.#bind(name, parameters, given, inner);
        return this.render(body, inner);
      }),
    );
  }

  /** Jinja2's binding: what is left over becomes `varargs` and `kwargs`. */
  #bind(name: string, parameters: readonly Node[], given: Arguments, scope: Scope): void {
    const named = new Map<Value, Value>(given.named);
    for (const [index, parameter] of parameters.entries()) {
      const isOptional = parameter.type === 'KeywordArgumentExpression';
      const parameterName = isOptional
        ? parameter.key.value
        : parameter.type === 'Identifier'
          ? parameter.value
          : '';
      const positional = given.positional[index];
      const value = positional === undefined ? named.get(parameterName) : positional;
      named.delete(parameterName);
      const missing = new Undefined(`parameter '${parameterName}' was not provided`);
      if (value !== undefined) scope.set(parameterName, value);
      else
        scope.set(parameterName, isOptional ? this.#expressions.evaluate(parameter.value, scope) : missing);
    }
    const caller = named.get('caller');
    scope.set(
      'caller',
      caller === undefined ? new Undefined(`'caller' is undefined in macro '${name}'`) : caller,
    );
    named.delete('caller');
    scope.set('varargs', new Tuple(given.positional.slice(parameters.length)));
    scope.set('kwargs', named);
  }

  #callWithBody(node: CallStatementNode, scope: Scope): Value {
    const callee = this.#expressions.evaluate(node.call.callee, scope);
    const given = this.#expressions.arguments(node.call.args, scope);
    const caller = this.#macro('caller', node.callerArgs ?? [], node.body, scope);
    return this.#expressions.call(callee, {
      positional: given.positional,
      named: new Map([...given.named, ['caller', caller]]),
    });
  }
}
