import { ProtobufWriter } from './protobuf.ts';

/** Element types by the numbers of `onnx.TensorProto.DataType`. */
export const elementTypes = {
  float: 1,
  uint8: 2,
  int32: 6,
  int64: 7,
  float16: 10,
  bfloat16: 16,
} as const;

export type ElementType = keyof typeof elementTypes;

/** A dimension: a number, or the name of one that is known only at run time. */
export type Dimension = number | string;

/** Name of a tensor inside the graph; '' stands for an optional input that is left out. */
export type Value = string;

export type Attribute =
  | number
  | { readonly float: number }
  | { readonly ints: readonly number[] }
  | { readonly graph: Uint8Array }
  | string;

/** An input of a graph. */
export interface InputDeclaration {
  readonly type: ElementType;
  readonly dimensions: readonly Dimension[];
}

export interface NodeOptions {
  /** Operator domain. @default '' (standard ONNX) */
  readonly domain?: string;
  readonly attributes?: Readonly<Record<string, Attribute>>;
  readonly outputs?: number;
}

/** Bytes that stay in a file beside the graph. */
export interface ExternalData {
  /** Base name; the folder is given when the session is made. */
  readonly file: string;
  readonly offsetBytes: number;
  readonly lengthBytes: number;
}

export const contribDomain = 'com.microsoft';
/** Our own operators, `kernels/src/border/operators`. */
export const nativeDomain = 'rivulet';

/** ONNX Runtime 1.30 takes operator sets up to 26; 23 brought RotaryEmbedding. */
const standardOpset = 23;
const irVersion = 10;

/** Collects nodes and tensors and writes an ONNX model; knows ONNX, no language models. */
export class GraphBuilder {
  #nodes: Uint8Array[] = [];
  readonly #initializers = new Map<string, Uint8Array>();
  readonly #inputs: Uint8Array[] = [];
  readonly #outputs: Uint8Array[] = [];
  #counter = 0;

  input(name: string, type: ElementType, dimensions: readonly Dimension[]): Value {
    this.#inputs.push(valueInfo(name, type, dimensions));
    return name;
  }

  /** Makes `value` a graph output under its own name. */
  output(value: Value, type: ElementType, dimensions: readonly Dimension[]): void {
    this.#outputs.push(valueInfo(value, type, dimensions));
  }

  /** Adds a node with one output. */
  node(operator: string, inputs: readonly Value[], options: NodeOptions = {}): Value {
    const [value] = this.nodes(operator, inputs, { ...options, outputs: 1 });
    return value ?? '';
  }

  /** Adds a node with `options.outputs` outputs. */
  nodes(operator: string, inputs: readonly Value[], options: NodeOptions): Value[] {
    const label = `${operator}_${this.#counter++}`;
    const outputs = Array.from({ length: options.outputs ?? 1 }, (_, index) => `${label}:${index}`);
    const writer = new ProtobufWriter();
    for (const input of inputs) writer.text(1, input);
    for (const output of outputs) writer.text(2, output);
    writer.text(3, label).text(4, operator);
    for (const [name, attribute] of Object.entries(options.attributes ?? {})) {
      writer.message(5, (message) => writeAttribute(message, name, attribute));
    }
    if (options.domain !== undefined) writer.text(7, options.domain);
    this.#nodes.push(writer.finish());
    return outputs;
  }

  /**
   * A graph for an attribute, such as the body of a loop: what `build` adds is part of it, while tensors and
   * values from outside stay visible inside.
   */
  body(
    inputs: readonly InputDeclaration[],
    build: (inputs: readonly Value[]) => readonly Value[],
  ): { readonly graph: Uint8Array } {
    const outer = this.#nodes;
    this.#nodes = [];
    const writer = new ProtobufWriter();
    const names = inputs.map(() => `body_${this.#counter++}`);
    const outputs = build(names);
    for (const node of this.#nodes) writer.bytes(1, node);
    writer.text(2, `body_${this.#counter++}`);
    for (const [index, { type, dimensions }] of inputs.entries()) {
      writer.bytes(11, valueInfo(names[index] ?? '', type, dimensions));
    }
    for (const output of outputs) writer.bytes(12, new ProtobufWriter().text(1, output).finish());
    this.#nodes = outer;
    return { graph: writer.finish() };
  }

  /** Gives a value a stable name, for graph outputs. */
  rename(value: Value, name: string): Value {
    const writer = new ProtobufWriter();
    writer.text(1, value).text(2, name).text(3, `name_${name}`).text(4, 'Identity');
    this.#nodes.push(writer.finish());
    return name;
  }

  /** A small tensor inside the graph, by name: added once, reused after. */
  constant(name: string, type: ElementType, dimensions: readonly number[], data: ArrayBufferView): Value {
    if (!this.#initializers.has(name)) {
      const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
      const writer = tensorHeader(name, type, dimensions);
      this.#initializers.set(name, writer.bytes(9, bytes).finish());
    }
    return name;
  }

  scalar(value: number): Value {
    return this.constant(`scalar_${value}`, 'float', [], Float32Array.of(value));
  }

  /** A list of 64-bit integers: shapes, axes, indices. */
  integers(...values: number[]): Value {
    return this.constant(
      `integers_${values.join('_')}`,
      'int64',
      [values.length],
      BigInt64Array.from(values, BigInt),
    );
  }

  /** A tensor whose bytes stay in a file. */
  external(name: string, type: ElementType, dimensions: readonly number[], data: ExternalData): Value {
    if (!this.#initializers.has(name)) {
      const writer = tensorHeader(name, type, dimensions);
      const entries = { location: data.file, offset: data.offsetBytes, length: data.lengthBytes };
      for (const [key, value] of Object.entries(entries)) {
        writer.message(13, (entry) => entry.text(1, key).text(2, String(value)));
      }
      this.#initializers.set(name, writer.integer(14, 1).finish());
    }
    return name;
  }

  /** The `onnx.ModelProto` bytes. */
  build(): Uint8Array {
    const model = new ProtobufWriter();
    model.integer(1, irVersion).text(2, 'rivulet');
    model.message(7, (graph) => {
      for (const node of this.#nodes) graph.bytes(1, node);
      graph.text(2, 'model');
      for (const initializer of this.#initializers.values()) graph.bytes(5, initializer);
      for (const input of this.#inputs) graph.bytes(11, input);
      for (const output of this.#outputs) graph.bytes(12, output);
    });
    model.message(8, (opset) => opset.text(1, '').integer(2, standardOpset));
    for (const domain of [contribDomain, nativeDomain]) {
      model.message(8, (opset) => opset.text(1, domain).integer(2, 1));
    }
    return model.finish();
  }
}

function tensorHeader(name: string, type: ElementType, dimensions: readonly number[]): ProtobufWriter {
  const writer = new ProtobufWriter();
  for (const dimension of dimensions) writer.integer(1, dimension);
  return writer.integer(2, elementTypes[type]).text(8, name);
}

function valueInfo(name: string, type: ElementType, dimensions: readonly Dimension[]): Uint8Array {
  const writer = new ProtobufWriter();
  writer.text(1, name).message(2, (typeProto) =>
    typeProto.message(1, (tensor) =>
      tensor.integer(1, elementTypes[type]).message(2, (shape) => {
        for (const dimension of dimensions) {
          shape.message(1, (entry) => {
            if (typeof dimension === 'number') entry.integer(1, dimension);
            else entry.text(2, dimension);
          });
        }
      }),
    ),
  );
  return writer.finish();
}

/** Field numbers and type codes of `onnx.AttributeProto`: FLOAT 1, INT 2, STRING 3, GRAPH 5, INTS 7. */
function writeAttribute(writer: ProtobufWriter, name: string, attribute: Attribute): void {
  writer.text(1, name);
  if (typeof attribute === 'number') writer.integer(3, attribute).integer(20, 2);
  else if (typeof attribute === 'string') writer.text(4, attribute).integer(20, 3);
  else if ('float' in attribute) writer.float(2, attribute.float).integer(20, 1);
  else if ('graph' in attribute) writer.bytes(6, attribute.graph).integer(20, 5);
  else {
    for (const value of attribute.ints) writer.integer(8, value);
    writer.integer(20, 7);
  }
}
