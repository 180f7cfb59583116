/** The operator as the lexer wrote it; `depth` counts the brackets around it. */
export interface OperatorToken {
  readonly value: string;
  readonly depth?: number;
}

/** The nodes that the parser of `@huggingface/jinja` makes; the package does not export their types. */
export type Node =
  | { readonly type: 'Program'; readonly body: readonly Node[] }
  | {
      readonly type: 'If';
      readonly test: Node;
      readonly body: readonly Node[];
      readonly alternate: readonly Node[];
    }
  | ForNode
  | SetNode
  | MacroNode
  | CallStatementNode
  | { readonly type: 'FilterStatement'; readonly filter: Node; readonly body: readonly Node[] }
  | { readonly type: 'Break' }
  | { readonly type: 'Continue' }
  | { readonly type: 'Comment'; readonly value: string }
  | { readonly type: 'Identifier'; readonly value: string }
  | { readonly type: 'StringLiteral'; readonly value: string }
  | { readonly type: 'IntegerLiteral'; readonly value: number }
  | { readonly type: 'FloatLiteral'; readonly value: number }
  | { readonly type: 'ArrayLiteral'; readonly value: readonly Node[] }
  | { readonly type: 'TupleLiteral'; readonly value: readonly Node[] }
  | { readonly type: 'ObjectLiteral'; readonly value: ReadonlyMap<Node, Node> }
  | MemberNode
  | CallNode
  | BinaryNode
  | { readonly type: 'UnaryExpression'; readonly operator: OperatorToken; readonly argument: Node }
  | { readonly type: 'FilterExpression'; readonly operand: Node; readonly filter: Node }
  | { readonly type: 'TestExpression'; readonly operand: Node; readonly negate: boolean; readonly test: Node }
  | { readonly type: 'SelectExpression'; readonly lhs: Node; readonly test: Node }
  | {
      readonly type: 'Ternary';
      readonly condition: Node;
      readonly trueExpr: Node;
      readonly falseExpr: Node;
    }
  | SliceNode
  | KeywordArgumentNode
  | { readonly type: 'SpreadExpression'; readonly argument: Node }
  | { readonly type: 'KeywordSpreadExpression'; readonly argument: Node };

export interface ForNode {
  readonly type: 'For';
  readonly loopvar: Node;
  readonly iterable: Node;
  readonly body: readonly Node[];
  readonly defaultBlock: readonly Node[];
}

export interface SetNode {
  readonly type: 'Set';
  readonly assignee: Node;
  readonly value: Node | null;
  readonly body: readonly Node[];
}

export interface MacroNode {
  readonly type: 'Macro';
  readonly name: Node & { readonly type: 'Identifier' };
  readonly args: readonly Node[];
  readonly body: readonly Node[];
}

export interface CallStatementNode {
  readonly type: 'CallStatement';
  readonly call: CallNode;
  readonly callerArgs: readonly Node[] | null;
  readonly body: readonly Node[];
}

export interface MemberNode {
  readonly type: 'MemberExpression';
  readonly object: Node;
  readonly property: Node;
  readonly computed: boolean;
}

export interface CallNode {
  readonly type: 'CallExpression';
  readonly callee: Node;
  readonly args: readonly Node[];
}

export interface BinaryNode {
  readonly type: 'BinaryExpression';
  readonly operator: OperatorToken;
  readonly left: Node;
  readonly right: Node;
}

export interface SliceNode {
  readonly type: 'SliceExpression';
  readonly start: Node | undefined;
  readonly stop: Node | undefined;
  readonly step: Node | undefined;
}

export interface KeywordArgumentNode {
  readonly type: 'KeywordArgumentExpression';
  readonly key: { readonly value: string };
  readonly value: Node;
}
