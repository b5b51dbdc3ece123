/** A zip archive of one stored file: what CreateFunction takes. */
import { crc32 } from 'node:zlib';

const VERSION = 20;
const LOCAL_BYTES = 30;
const CENTRAL_BYTES = 46;
const END_BYTES = 22;

export function zipped(name: string, text: string): Uint8Array {
  const file = Buffer.from(name);
  const content = Buffer.from(text);
  const sum = crc32(content);

  const local = Buffer.alloc(LOCAL_BYTES);
  local.writeUInt32LE(0x04034b50, 0);
  local.writeUInt16LE(VERSION, 4);
  sizes(local, 14, sum, content.length);
  local.writeUInt16LE(file.length, 26);

  const central = Buffer.alloc(CENTRAL_BYTES);
  central.writeUInt32LE(0x02014b50, 0);
  central.writeUInt16LE(VERSION, 4);
  central.writeUInt16LE(VERSION, 6);
  sizes(central, 16, sum, content.length);
  central.writeUInt16LE(file.length, 28);

  const before = local.length + file.length + content.length;
  const end = Buffer.alloc(END_BYTES);
  end.writeUInt32LE(0x06054b50, 0);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(central.length + file.length, 12);
  end.writeUInt32LE(before, 16);
  return Buffer.concat([local, file, content, central, file, end]);
}

/** Checksum, and the size twice: nothing is compressed. */
function sizes(header: Buffer, at: number, sum: number, bytes: number): void {
  header.writeUInt32LE(sum, at);
  header.writeUInt32LE(bytes, at + 4);
  header.writeUInt32LE(bytes, at + 8);
}
