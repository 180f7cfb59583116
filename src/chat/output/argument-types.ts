import type { JSONSchema } from '../messages.ts';

/** JSON's types; `undefined` = any. */
export type ArgumentTypes = ReadonlySet<string> | undefined;

/** A schema that refers to itself ends here. */
const maximumReferences = 32;

/** The schema of one argument, or of any other where the tool names none. */
export function argumentSchema(parameters: JSONSchema, key: string): JSONSchema {
  const schema = resolve(parameters, parameters);
  if (typeof schema === 'boolean') return schema;
  const properties = schema['properties'];
  if (isObject(properties) && Object.hasOwn(properties, key)) return toSchema(properties[key]);
  for (const part of alternatives(schema)) {
    const found = argumentSchema(withDefinitions(part, parameters), key);
    if (found !== true) return found;
  }
  const others = schema['additionalProperties'];
  return others === undefined ? true : toSchema(others);
}

/** The schema of a list's items. */
export function itemSchema(schema: JSONSchema): JSONSchema {
  return typeof schema === 'boolean' ? schema : toSchema(schema['items']);
}

/** The names of a tool's arguments in the order of its schema. */
export function argumentNames(parameters: JSONSchema): readonly string[] {
  const schema = resolve(parameters, parameters);
  const properties = typeof schema === 'boolean' ? undefined : schema['properties'];
  return isObject(properties) ? Object.keys(properties) : [];
}

/** Which types a value may have; `root` holds the definitions that the schema refers to. */
export function allowedTypes(schema: JSONSchema, root: JSONSchema, depth = 0): ArgumentTypes {
  const resolved = resolve(schema, root);
  if (typeof resolved === 'boolean' || depth > maximumReferences) return undefined;
  const { type } = resolved;
  if (typeof type === 'string') return new Set([type]);
  if (Array.isArray(type)) return new Set(type.filter((name) => typeof name === 'string'));
  if ('const' in resolved) return new Set([typeOf(resolved['const'])]);
  if (Array.isArray(resolved['enum'])) return new Set(resolved['enum'].map(typeOf));
  const parts = alternatives(resolved);
  if (parts.length > 0) {
    const types = new Set<string>();
    for (const part of parts) {
      const allowed = allowedTypes(part, root, depth + 1);
      if (allowed === undefined) return undefined;
      for (const name of allowed) types.add(name);
    }
    return types;
  }
  if ('properties' in resolved) return new Set(['object']);
  return 'items' in resolved ? new Set(['array']) : undefined;
}

/** The type of a value, as schemas name it. */
export function typeOf(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value;
}

/** Whether a value is of one of these types; integers are numbers. */
export function isAllowed(value: unknown, types: ArgumentTypes): boolean {
  if (types === undefined) return true;
  const type = typeOf(value);
  return types.has(type) || (type === 'number' && types.has('integer') && Number.isInteger(value));
}

function alternatives(schema: Readonly<Record<string, unknown>>): JSONSchema[] {
  return ['anyOf', 'oneOf', 'allOf'].flatMap((key) => {
    const parts = schema[key];
    return Array.isArray(parts) ? parts.map(toSchema) : [];
  });
}

/** Follows local references such as `#/$defs/name`. */
function resolve(schema: JSONSchema, root: JSONSchema): JSONSchema {
  let current = schema;
  for (let count = 0; count < maximumReferences; count += 1) {
    const reference = typeof current === 'boolean' ? undefined : current['$ref'];
    if (typeof reference !== 'string' || !reference.startsWith('#')) return current;
    let found: unknown = root;
    for (const part of reference.split('/').slice(1)) {
      const key = part.replaceAll('~1', '/').replaceAll('~0', '~');
      found = isObject(found) && Object.hasOwn(found, key) ? found[key] : undefined;
    }
    if (!isObject(found)) return true;
    current = found;
  }
  return true;
}

function withDefinitions(schema: JSONSchema, root: JSONSchema): JSONSchema {
  if (typeof schema === 'boolean' || typeof root === 'boolean') return schema;
  return { $defs: root['$defs'], definitions: root['definitions'], ...schema };
}

function toSchema(value: unknown): JSONSchema {
  return isObject(value) || typeof value === 'boolean' ? value : true;
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
