/** What `perf script` prints, sample by sample. */

export interface Frame {
  name: string;
  /** Whose code it is. */
  origin: Origin;
}

export type Origin =
  | 'JavaScript'
  | 'addon'
  | 'ONNX Runtime'
  | 'uWebSockets'
  | 'Node.js'
  | 'C library'
  | 'kernel'
  | 'other';

/** From the outermost caller, which is the thread, to where the sample was taken. */
export type Stack = readonly Frame[];

/** First match wins. */
const ORIGINS: readonly [RegExp, Origin][] = [
  [/warmswap(_native_bench|\.node)$/, 'addon'],
  [/libonnxruntime/, 'ONNX Runtime'],
  [/^\[(kernel|vdso|guest)|\.ko$|^\[k/, 'kernel'],
  [/\/(libc|libm|libpthread|ld-linux[^/]*|libstdc\+\+|libgcc_s)[-.][^/]*$/, 'C library'],
  [/\/uws[^/]*\.node$/, 'uWebSockets'],
  [/\/node$/, 'Node.js'],
];
const HEADER = /^(\S.*?)\s+\d+(?:\/\d+)?\s+(?:\[\d+\]\s+)?[\d.]+:/;
const FRAME = /^\s+[0-9a-f]+ (.*) \((.*)\)$/;
/** JavaScript functions as `--perf-basic-prof` names them: a tier, a name, a file. */
const JAVASCRIPT = /^JS:[~^*+']?(.*?) ?(?:\S*\/)?([^\s/]*)$/;

/** A function that the compiler put into its caller is in no file. */
const INLINED = 'inlined';

/** Stacks of a text that comes line by line. */
export async function* readStacks(lines: AsyncIterable<string>): AsyncGenerator<Stack> {
  let thread: string | undefined;
  let frames: string[] = [];
  for await (const line of lines) {
    const header = HEADER.exec(line);
    if (header) {
      thread = header[1];
      frames = [];
    } else if (line.trim() === '') {
      if (thread !== undefined) yield toStack(thread, frames);
      thread = undefined;
    } else {
      frames.push(line);
    }
  }
  if (thread !== undefined) yield toStack(thread, frames);
}

function toStack(thread: string, lines: readonly string[]): Stack {
  const stack: Frame[] = [{ name: thread, origin: 'other' }];
  for (const line of [...lines].reverse()) {
    stack.push(toFrame(line, stack.at(-1)?.origin ?? 'other'));
  }
  return stack;
}

function toFrame(line: string, origin: Origin): Frame {
  const [, symbol = line.trim(), file = ''] = FRAME.exec(line) ?? [];
  const name = symbol.replace(/\+0x[0-9a-f]+$/, '');
  const javaScript = JAVASCRIPT.exec(name);
  if (javaScript) {
    const [, called = '', place = ''] = javaScript;
    return { name: `${called === '' ? '(anonymous)' : called} ${place}`, origin: 'JavaScript' };
  }
  if (file === INLINED) return { name, origin };
  return { name: name === '[unknown]' ? fileName(file) : name, origin: originOf(file) };
}

function originOf(file: string): Origin {
  return ORIGINS.find(([pattern]) => pattern.test(file))?.[1] ?? 'other';
}

/** `[libonnxruntime.so.1]`; what perf has no file for is in brackets already. */
function fileName(file: string): string {
  return file.startsWith('[') ? file : `[${file.split('/').at(-1) ?? ''}]`;
}
