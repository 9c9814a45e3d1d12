import { open, type FileHandle } from 'node:fs/promises';

/** What the dynamic loader needs to know of a shared library. */
export interface DynamicSection {
  /** Names of the libraries that it needs (DT_NEEDED). */
  needed: readonly string[];
  /** Folders where the loader looks for them (DT_RUNPATH, else DT_RPATH), `$ORIGIN` not replaced. */
  runpath: readonly string[];
}

interface Segment {
  type: number;
  offset: number;
  address: number;
  size: number;
}

const HEADER_SIZE = 64;
const PROGRAM_HEADER_SIZE = 56;
const MOST_SEGMENTS = 1024;
const DYNAMIC_ENTRY_SIZE = 16;
const MOST_DYNAMIC_BYTES = 2 ** 20;
const MOST_TEXT_BYTES = 4096;
const LOAD = 1;
const DYNAMIC = 2;
const TAG = { needed: 1, strings: 5, rpath: 15, runpath: 29 } as const;

/**
 * Reads the dynamic section of a 64-bit little-endian ELF file, and little else of it. Rejects with
 * a system error, or if the file is no such ELF file.
 */
export async function readDynamic(path: string): Promise<DynamicSection> {
  const file = await open(path);
  try {
    return await readFrom(file);
  } finally {
    await file.close();
  }
}

async function readFrom(file: FileHandle): Promise<DynamicSection> {
  const segments = await readSegments(file);
  const dynamic = segments.find(({ type }) => type === DYNAMIC);
  if (!dynamic) return { needed: [], runpath: [] };
  const size = Math.min(dynamic.size, MOST_DYNAMIC_BYTES);
  const entries = toEntries(await read(file, dynamic.offset, size));
  const strings = toOffset(entries.find(({ tag }) => tag === TAG.strings)?.value ?? 0, segments);
  const texts = (wanted: number) =>
    Promise.all(
      entries
        .filter(({ tag }) => tag === wanted)
        .map(({ value }) => readText(file, strings + value)),
    );
  const paths = [...(await texts(TAG.runpath)), ...(await texts(TAG.rpath))];
  const runpath = (paths[0] ?? '').split(':').filter((folder) => folder !== '');
  return { needed: await texts(TAG.needed), runpath };
}

async function readSegments(file: FileHandle): Promise<Segment[]> {
  const header = await read(file, 0, HEADER_SIZE);
  const isElf = header.subarray(0, 4).equals(Buffer.from('\x7fELF', 'latin1'));
  if (!isElf || header[4] !== 2 || header[5] !== 1) {
    throw new Error('this is no 64-bit little-endian ELF file');
  }
  const number = header.readUInt16LE(56);
  if (header.readUInt16LE(54) !== PROGRAM_HEADER_SIZE || number > MOST_SEGMENTS) {
    throw new Error('the ELF header is damaged');
  }
  const table = await read(file, toNumber(header, 32), number * PROGRAM_HEADER_SIZE);
  return Array.from({ length: number }, (_, i) => {
    const at = i * PROGRAM_HEADER_SIZE;
    return {
      type: table.readUInt32LE(at),
      offset: toNumber(table, at + 8),
      address: toNumber(table, at + 16),
      size: toNumber(table, at + 32),
    };
  });
}

function toEntries(bytes: Buffer): { tag: number; value: number }[] {
  return Array.from({ length: Math.floor(bytes.length / DYNAMIC_ENTRY_SIZE) }, (_, i) => ({
    tag: toNumber(bytes, i * DYNAMIC_ENTRY_SIZE),
    value: toNumber(bytes, i * DYNAMIC_ENTRY_SIZE + 8),
  }));
}

/** Where in the file an address of the loaded library lies. */
function toOffset(address: number, segments: readonly Segment[]): number {
  const holder = segments.find(
    (segment) =>
      segment.type === LOAD &&
      address >= segment.address &&
      address < segment.address + segment.size,
  );
  if (!holder) throw new Error('the dynamic section is damaged');
  return address - holder.address + holder.offset;
}

async function readText(file: FileHandle, offset: number): Promise<string> {
  const { buffer, bytesRead } = await file.read(
    Buffer.alloc(MOST_TEXT_BYTES),
    0,
    MOST_TEXT_BYTES,
    offset,
  );
  const end = buffer.indexOf(0);
  return buffer.toString('utf8', 0, end < 0 ? bytesRead : end);
}

async function read(file: FileHandle, offset: number, size: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(size), 0, size, offset);
  if (bytesRead < size) throw new Error('the file ends too early for an ELF file');
  return buffer;
}

/** Values beyond 2^53 lose digits; they lie outside of any file and are refused as such. */
function toNumber(bytes: Buffer, at: number): number {
  return Number(bytes.readBigUInt64LE(at));
}
