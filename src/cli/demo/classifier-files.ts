import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Inputs of the file type classifier (google/magika), as its README in the assets states them. */

/** A file of known type. */
export interface LabelledFile {
  label: string;
  bytes: Uint8Array;
}

/** The part of a version's labels.json that its input and output depend on. */
export interface ClassifierLabels {
  beg_size: number;
  end_size: number;
  target_labels_space: readonly string[];
}

const BLOCK_BYTES = 4096;
const PADDING = 256;
/** The classifier's white space: tab, line feed, vertical tab, form feed, carriage return, space. */
const WHITE_SPACE: ReadonlySet<number> = new Set([9, 10, 11, 12, 13, 32]);

/** Reads `directory/LABEL/FILE`. */
export async function readLabelledFiles(directory: string): Promise<LabelledFile[]> {
  const files: LabelledFile[] = [];
  for (const label of (await readdir(directory)).sort()) {
    for (const name of (await readdir(join(directory, label))).sort()) {
      files.push({ label, bytes: await readFile(join(directory, label, name)) });
    }
  }
  return files;
}

export async function readLabels(versionDirectory: string): Promise<ClassifierLabels> {
  const text = await readFile(join(versionDirectory, 'labels.json'), 'utf8');
  return JSON.parse(text) as ClassifierLabels;
}

/**
 * The model's input: `beg_size` values from the file's beginning without leading white space, padded
 * on the right, then `end_size` from its end without trailing white space, padded on the left.
 */
export function classifierInput(bytes: Uint8Array, labels: ClassifierLabels): Int32Array {
  const { beg_size: begin, end_size: end } = labels;
  const input = new Int32Array(begin + end).fill(PADDING);
  input.set(withoutLeadingSpace(bytes.subarray(0, BLOCK_BYTES)).subarray(0, begin));
  const tail = withoutTrailingSpace(bytes.subarray(-BLOCK_BYTES));
  const kept = tail.subarray(Math.max(0, tail.length - end));
  input.set(kept, input.length - kept.length);
  return input;
}

function withoutLeadingSpace(bytes: Uint8Array): Uint8Array {
  const start = bytes.findIndex((byte) => !WHITE_SPACE.has(byte));
  return start < 0 ? bytes.subarray(0, 0) : bytes.subarray(start);
}

function withoutTrailingSpace(bytes: Uint8Array): Uint8Array {
  const last = bytes.findLastIndex((byte) => !WHITE_SPACE.has(byte));
  return bytes.subarray(0, last + 1);
}

/** The label of the highest score. */
export function topLabel(scores: Float32Array, labels: ClassifierLabels): string {
  return labels.target_labels_space[scores.indexOf(Math.max(...scores))] ?? '';
}
