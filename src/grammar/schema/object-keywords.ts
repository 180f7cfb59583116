import { isObject } from './schema-source.ts';
import type { Schema, SchemaObject } from './schema-source.ts';

export function propertiesOf(schema: SchemaObject): Readonly<Record<string, Schema>> {
  const { properties } = schema as { readonly properties?: unknown };
  return isObject(properties) ? (properties as Record<string, Schema>) : {};
}

export function patternsOf(schema: SchemaObject): readonly (readonly [pattern: string, schema: Schema])[] {
  const { patternProperties } = schema as { readonly patternProperties?: unknown };
  return isObject(patternProperties) ? (Object.entries(patternProperties) as [string, Schema][]) : [];
}
