/** What `perf script` prints, sample by sample. */

export interface Frame {
  name: string;
  /** Whose code it is. */
  origin: Origin;
}

export type Origin =
  'JavaScript' | 'addon' | 'ONNX Runtime' | 'Node.js' | 'C library' | 'kernel' | 'other';

/** From the outermost caller, which is the thread, to where the sample was taken. */
export type Stack = readonly Frame[];

/** First match wins. */
const ORIGINS: readonly [RegExp, Origin][] = [
  [/warmswap(_native_bench|\.node)$/, 'addon'],
  [/libonnxruntime/, 'ONNX Runtime'],
  [/^\[(kernel|vdso|guest)|\.ko$|^\[k/, 'kernel'],
  [/\/(libc|libm|libpthread|ld-linux[^/]*|libstdc\+\+|libgcc_s)[-.][^/]*$/, 'C library'],
  [/\/node$|uws_[^/]*\.node$/, 'Node.js'],
];
const HEADER = /^(\S.*?)\s+\d+(?:\/\d+)?\s+(?:\[\d+\]\s+)?[\d.]+:/;
const FRAME = /^\s+[0-9a-f]+ (.*) \((.*)\)$/;
/** JavaScript functions as `--perf-basic-prof` names them: a tier, a name, a file. */
const JAVASCRIPT = /^JS:[~^*+']?(\S*) (?:.*\/)?([^/]*)$/;

/** Stacks of a text that comes line by line. */
export async function* readStacks(lines: AsyncIterable<string>): AsyncGenerator<Stack> {
  let thread: string | undefined;
  let frames: Frame[] = [];
  for await (const line of lines) {
    const header = HEADER.exec(line);
    if (header) {
      thread = header[1];
      frames = [];
    } else if (line.trim() === '') {
      if (thread !== undefined) yield [threadFrame(thread), ...frames.reverse()];
      thread = undefined;
    } else {
      frames.push(toFrame(line));
    }
  }
  if (thread !== undefined) yield [threadFrame(thread), ...frames.reverse()];
}

function threadFrame(name: string): Frame {
  return { name, origin: 'other' };
}

function toFrame(line: string): Frame {
  const [, symbol = line.trim(), file = ''] = FRAME.exec(line) ?? [];
  const name = symbol.replace(/\+0x[0-9a-f]+$/, '');
  const javaScript = JAVASCRIPT.exec(name);
  if (javaScript) {
    const [, called = '', place = ''] = javaScript;
    return { name: `${called === '' ? '(anonymous)' : called} ${place}`, origin: 'JavaScript' };
  }
  const origin = ORIGINS.find(([pattern]) => pattern.test(file))?.[1] ?? 'other';
  return { name: name === '[unknown]' ? `[${file.split('/').at(-1) ?? ''}]` : name, origin };
}
