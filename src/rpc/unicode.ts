/** Texts and UTF-8, without what is otherwise put in silently for what cannot be written or read. */

const HALF_PAIR = /\p{Surrogate}/u;
const HALF_PAIRS = new RegExp(HALF_PAIR, 'gu');
/** A byte order mark is a character as any other. */
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Whether UTF-8 can hold the text: no half of a surrogate pair stands alone. */
export function isUnicode(text: string): boolean {
  return !HALF_PAIR.test(text);
}

/** The text with a replacement character for each half of a surrogate pair that stands alone. */
export function toUnicode(text: string): string {
  return text.replace(HALF_PAIRS, '\ufffd');
}

/** The text that the bytes are in UTF-8; undefined if they are none. */
export function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return utf8.decode(bytes);
  } catch {
    return undefined;
  }
}
