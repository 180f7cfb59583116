import type { RenderContext } from './render-context.ts';

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&#34;',
  "'": '&#39;',
};

/** markupsafe's `escape`. */
export function escapeText(context: RenderContext, text: string): string {
  const escaped = text.replace(/[&<>"']/g, (character) => escapes[character] ?? character);
  context.makeText(escaped.length);
  return escaped;
}
