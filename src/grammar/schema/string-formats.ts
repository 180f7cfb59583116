const year = String.raw`\d{4}`;
const date = `${year}-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\\d|30)|02-(?:0[1-9]|1\\d|2[0-8]))`;
/** 29 February in years that four divides and hundred does not, or four hundred does. */
const leapDay = String.raw`(?:\d\d(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)-02-29`;
const anyDate = `(?:${date}|${leapDay})`;
const time = String.raw`(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)`;
const label = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
const byte = String.raw`(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)`;
const ipv4 = `${byte}(?:\\.${byte}){3}`;
const group = '[0-9A-Fa-f]{1,4}';
const ipv6 = [
  `(?:${group}:){7}${group}`,
  ...Array.from({ length: 7 }, (_, before) => {
    const head = before === 0 ? '' : `${group}(?::${group}){0,${before - 1}}`;
    const after = 6 - before;
    const tail = after === 0 ? '' : `(?:${group}(?::${group}){0,${after - 1}})?`;
    return `${head}::${tail}`;
  }),
  `${group}(?::${group}){6}::`,
].join('|');
const uriCharacter = String.raw`[A-Za-z0-9._~:/?#@!$&'()*+,;=%-]`;
const duration = String.raw`P(?:\d+W|(?:\d+Y(?:\d+M(?:\d+D)?)?|\d+M(?:\d+D)?|\d+D)(?:T(?:\d+H(?:\d+M(?:\d+S)?)?|\d+M(?:\d+S)?|\d+S))?|T(?:\d+H(?:\d+M(?:\d+S)?)?|\d+M(?:\d+S)?|\d+S))`;

/** What texts of a format look like; `undefined` = nothing that is checked. */
const formats: ReadonlyMap<string, string> = new Map([
  ['date', anyDate],
  ['time', time],
  ['date-time', `${anyDate}T${time}`],
  ['duration', duration],
  ['email', String.raw`[A-Za-z0-9_%+-]+(?:\.[A-Za-z0-9_%+-]+)*@(?:${label}\.)+[A-Za-z]{2,24}`],
  ['hostname', `${label}(?:\\.${label})*`],
  ['ipv4', ipv4],
  ['ipv6', ipv6],
  ['uuid', '[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}'],
  ['uri', `[A-Za-z][A-Za-z0-9+.-]*:${uriCharacter}+`],
  ['uri-reference', `${uriCharacter}*`],
  ['json-pointer', String.raw`(?:/(?:[^~/]|~[01])*)*`],
]);

/** A pattern for the texts of a format; undefined for formats that no grammar is known for. */
export function formatPattern(format: string): string | undefined {
  const pattern = formats.get(format);
  // What stands before the sign is limited as a whole (RFC 5321).
  const ahead = format === 'email' ? '(?=[^@]{1,64}@)' : '';
  return pattern === undefined ? undefined : `^${ahead}(?:${pattern})$`;
}
