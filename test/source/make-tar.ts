export interface TarFile {
  readonly name: string;
  readonly content: Uint8Array;
  /** How a name longer than 100 bytes is written. */
  readonly longName?: 'pax' | 'gnu';
}

/** A tar archive, written independently of the reader. */
export function makeTar(files: readonly TarFile[]): Buffer {
  const blocks: Buffer[] = [];
  for (const file of files) {
    if (file.longName === 'gnu') blocks.push(entry('././@LongLink', Buffer.from(`${file.name}\0`), 'L'));
    if (file.longName === 'pax') blocks.push(entry('PaxHeader', paxRecord('path', file.name), 'x'));
    blocks.push(entry(file.longName === undefined ? file.name : 'cut', Buffer.from(file.content), '0'));
  }
  return Buffer.concat([...blocks, Buffer.alloc(1024)]);
}

export function entry(name: string, content: Buffer, type: string): Buffer {
  const header = Buffer.alloc(512);
  header.write(name, 0, 100, 'utf8');
  header.write('0000644\0', 100);
  header.write(`${content.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('        ', 148);
  header.write(type, 156);
  header.write('ustar\u000000', 257);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, content, Buffer.alloc((512 - (content.length % 512)) % 512)]);
}

function paxRecord(key: string, value: string): Buffer {
  const body = ` ${key}=${value}\n`;
  let length = Buffer.byteLength(body) + 1;
  while (String(length).length + Buffer.byteLength(body) !== length) length += 1;
  return Buffer.from(length + body);
}
