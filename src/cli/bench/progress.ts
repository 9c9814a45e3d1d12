import type { Recording } from './recording.js';

const REFRESH_MS = 200;
const WIDTH = 24;

/** A terminal, or what looks like one. */
export interface Terminal {
  readonly isTTY?: boolean;
  write(text: string): unknown;
}

/** A bar that grows while a phase lasts, on a terminal alone. Its owner calls `end`. */
export class Progress {
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #startedAt = performance.now();

  constructor(
    private readonly terminal: Terminal,
    private readonly phase: string,
    private readonly durationMs: number,
    private readonly recording: Recording,
  ) {
    if (!terminal.isTTY) return;
    this.#draw();
    this.#timer = setInterval(() => this.#draw(), REFRESH_MS);
  }

  /** Leaves an empty line behind. */
  end(): void {
    if (!this.#timer) return;
    clearInterval(this.#timer);
    this.terminal.write('\r\x1b[2K');
  }

  #draw(): void {
    const elapsedMs = performance.now() - this.#startedAt;
    const share = Math.min(1, elapsedMs / this.durationMs);
    this.terminal.write(`\r\x1b[2K${progressLine(this.phase, share, this.recording)}`);
  }
}

/** For example `measuring ██████░░░░░░  50 %  1200 requests, 0 failed`. */
export function progressLine(
  phase: string,
  share: number,
  { succeeded, failed }: Pick<Recording, 'succeeded' | 'failed'>,
): string {
  const done = Math.round(share * WIDTH);
  const bar = '█'.repeat(done) + '░'.repeat(WIDTH - done);
  const percent = `${Math.round(100 * share)} %`.padStart(5);
  return `${phase} ${bar} ${percent}  ${succeeded + failed} requests, ${failed} failed`;
}
