import { readAttribute, readItem, slice, undefinedError } from './attributes.ts';
import { iterate, keyOf } from './compare-values.ts';
import { applyFilter } from './filters.ts';
import type { BinaryNode, MemberNode, Node } from './nodes.ts';
import { isComparison, operate } from './operators.ts';
import { toText } from './python-text.ts';
import type { RenderContext } from './render-context.ts';
import { negatedTestPrefix, testPrefix, tupleFilter } from './rewrite-tokens.ts';
import type { Scope } from './scope.ts';
import { TemplateRuntimeError } from './template-error.ts';
import { applyTest } from './tests.ts';
import { asNumber, Callable, Float, isTrue, Tuple, typeName, Undefined, withoutMarkup } from './values.ts';
import type { Arguments, Dictionary, Value } from './values.ts';

const constants: ReadonlyMap<string, Value> = new Map([
  ['true', true],
  ['True', true],
  ['false', false],
  ['False', false],
  ['none', null],
  ['None', null],
]);

/** Evaluates expressions as Jinja2 does in Python. */
export class Expressions {
  readonly #context: RenderContext;

  constructor(context: RenderContext) {
    this.#context = context;
  }

  /** @throws {TemplateRuntimeError} @throws {TemplateLimitError} */
  evaluate(node: Node, scope: Scope): Value {
    this.#context.spend();
    switch (node.type) {
      case 'Identifier':
        return this.#variable(node.value, scope);
      case 'StringLiteral':
      case 'IntegerLiteral':
        return node.value;
      case 'FloatLiteral':
        return new Float(node.value);
      case 'ArrayLiteral':
        return node.value.map((item) => this.#plain(item, scope));
      case 'TupleLiteral':
        return new Tuple(node.value.map((item) => this.#plain(item, scope)));
      case 'ObjectLiteral':
        return this.#dictionary(node.value, scope);
      case 'MemberExpression':
        return this.#member(node, scope);
      case 'CallExpression':
        return this.call(this.evaluate(node.callee, scope), this.arguments(node.args, scope));
      case 'BinaryExpression':
        return this.#binary(node, scope);
      case 'UnaryExpression':
        return this.#unary(node.operator.value, this.evaluate(node.argument, scope));
      case 'FilterExpression':
        return this.filter(this.#plain(node.operand, scope), node.filter, scope);
      case 'TestExpression':
        return this.#test(this.#plain(node.operand, scope), node.test, node.negate);
      case 'Ternary': {
        const isChosen = isTrue(this.evaluate(node.condition, scope));
        return this.evaluate(isChosen ? node.trueExpr : node.falseExpr, scope);
      }
      case 'SelectExpression':
        if (isTrue(this.evaluate(node.test, scope))) return this.evaluate(node.lhs, scope);
        return new Undefined('the inline if-expression evaluated to false and no else section was defined');
      default:
        throw new TemplateRuntimeError(`${node.type} is no expression`);
    }
  }

  /** Positional and named arguments; `*list` and `**dict` are spread. */
  arguments(nodes: readonly Node[], scope: Scope): Arguments {
    const positional: Value[] = [];
    const named = new Map<string, Value>();
    for (const node of nodes) {
      if (node.type === 'KeywordArgumentExpression') {
        named.set(node.key.value, this.#plain(node.value, scope));
      } else if (node.type === 'SpreadExpression') {
        for (const item of iterate(this.#context, this.evaluate(node.argument, scope))) positional.push(item);
      } else if (node.type === 'KeywordSpreadExpression') {
        const spread = this.evaluate(node.argument, scope);
        if (!(spread instanceof Map)) {
          throw new TemplateRuntimeError(`argument after ** must be a mapping, not ${typeName(spread)}`);
        }
        for (const [key, value] of spread) named.set(toText(this.#context, key), value);
      } else {
        positional.push(this.#plain(node, scope));
      }
    }
    return { positional, named };
  }

  call(callee: Value, given: Arguments): Value {
    if (callee instanceof Callable) return callee.call(given);
    if (callee instanceof Undefined) throw undefinedError(callee);
    throw new TemplateRuntimeError(`'${typeName(callee)}' object is not callable`);
  }

  /** Applies a filter, or a test with arguments in the guise of one (see rewrite-tokens.ts). */
  filter(value: Value, filter: Node, scope: Scope): Value {
    const callee = filter.type === 'CallExpression' ? filter.callee : filter;
    if (callee.type !== 'Identifier') throw new TemplateRuntimeError('a filter must be a name');
    const given = this.arguments(filter.type === 'CallExpression' ? filter.args : [], scope);
    const name = callee.value;
    if (name.startsWith(negatedTestPrefix)) {
      const test = name.slice(negatedTestPrefix.length);
      return !applyTest(this.#context, test, value, given.positional);
    }
    if (name.startsWith(testPrefix)) {
      return applyTest(this.#context, name.slice(testPrefix.length), value, given.positional);
    }
    if (name === tupleFilter) return new Tuple(iterate(this.#context, value));
    return applyFilter(this.#context, name, value, given);
  }

  #plain(node: Node, scope: Scope): Value {
    return withoutMarkup(this.evaluate(node, scope));
  }

  #variable(name: string, scope: Scope): Value {
    const constant = constants.get(name);
    if (constant !== undefined) return constant;
    const value = scope.get(name);
    return value === undefined ? new Undefined(`'${name}' is undefined`) : value;
  }

  #dictionary(entries: ReadonlyMap<Node, Node>, scope: Scope): Dictionary {
    const result: Dictionary = new Map();
    for (const [key, value] of entries) {
      result.set(keyOf(this.#plain(key, scope)), this.#plain(value, scope));
    }
    return result;
  }

  #member(node: MemberNode, scope: Scope): Value {
    const object = this.#plain(node.object, scope);
    const { property } = node;
    if (property.type === 'SliceExpression') {
      const bound = (part: Node | undefined): Value =>
        part === undefined ? null : this.evaluate(part, scope);
      return slice(this.#context, object, [
        bound(property.start),
        bound(property.stop),
        bound(property.step),
      ]);
    }
    if (node.computed) return readItem(this.#context, object, this.#plain(property, scope));
    if (property.type === 'Identifier') return readAttribute(this.#context, object, property.value);
    return readItem(this.#context, object, this.evaluate(property, scope));
  }

  #binary(node: BinaryNode, scope: Scope): Value {
    const operator = node.operator.value;
    if (operator === 'and' || operator === 'or') {
      const left = this.evaluate(node.left, scope);
      return isTrue(left) === (operator === 'and') ? this.evaluate(node.right, scope) : left;
    }
    const { left } = node;
    if (isComparison(operator) && left.type === 'BinaryExpression' && isChained(left, node)) {
      const middle = this.evaluate(left.right, scope);
      const before = this.#binaryWith(left, middle, scope);
      return isTrue(before)
        ? operate(this.#context, operator, middle, this.evaluate(node.right, scope))
        : before;
    }
    return operate(this.#context, operator, this.evaluate(left, scope), this.evaluate(node.right, scope));
  }

  /** The comparison `node`, whose right side has the value `right` already. */
  #binaryWith(node: BinaryNode, right: Value, scope: Scope): Value {
    const { left } = node;
    if (left.type === 'BinaryExpression' && isChained(left, node)) {
      const middle = this.evaluate(left.right, scope);
      const before = this.#binaryWith(left, middle, scope);
      return isTrue(before) ? operate(this.#context, node.operator.value, middle, right) : before;
    }
    return operate(this.#context, node.operator.value, this.evaluate(left, scope), right);
  }

  #unary(operator: string, value: Value): Value {
    if (operator === 'not') return !isTrue(value);
    if (value instanceof Undefined) throw undefinedError(value);
    const number = asNumber(value);
    if (number === undefined) {
      throw new TemplateRuntimeError(`bad operand type for unary ${operator}: '${typeName(value)}'`);
    }
    const result = operator === '-' ? -number : number;
    return value instanceof Float ? new Float(result) : result + 0;
  }

  #test(value: Value, test: Node, isNegated: boolean): boolean {
    if (test.type !== 'Identifier') throw new TemplateRuntimeError('a test must be a name');
    return applyTest(this.#context, test.value, value, []) !== isNegated;
  }
}

/** `a < b < c`, without brackets around `a < b`. */
function isChained(left: BinaryNode, node: BinaryNode): boolean {
  return (
    isComparison(left.operator.value) &&
    left.operator.depth !== undefined &&
    left.operator.depth === node.operator.depth
  );
}
