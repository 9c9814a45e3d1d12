import { copyTensors, type Tensor } from '../rpc/tensor.js';

/** The inputs of one request, in memory of their own. */
export type RecordedInputs = Readonly<Record<string, Tensor>>;

export const MOST_REQUESTS = 16;
export const MOST_BYTES = 8 * 2 ** 20;
/** Once the ring is full, one request of so many is recorded, */
export const SAMPLED = 64;
/** but not more often: unpacking one takes as long as serving several. In milliseconds. */
export const LEAST_APART_MS = 10;
/** What an element of BYTES takes beside its bytes, roughly. */
const ELEMENT_OVERHEAD_BYTES = 16;

/**
 * The last requests that a version answered, a sample of them under load: at most 16 of them and
 * 8 MiB, in memory alone. One more may be held whose answer is still to come.
 */
export class RequestRecorder {
  /** Oldest first. */
  readonly #ring: { inputs: RecordedInputs; bytes: number }[] = [];
  #bytes = 0;
  #isFull = false;
  #isAwaiting = false;
  #unsampled = 0;
  #sampledAt = -Infinity;

  constructor(private readonly now: () => number = () => performance.now()) {}

  /** Whether the next request should be recorded. Counts it. */
  due(): boolean {
    if (this.#isAwaiting) return false;
    if (!this.#isFull) return true;
    this.#unsampled = (this.#unsampled + 1) % SAMPLED;
    return this.#unsampled === 0 && this.#maySample();
  }

  /**
   * Copies the inputs, which may be views on a buffer that is about to be reused, unless they are
   * bigger than the ring. They are kept at once; with `answered`, when that resolves, and not at all
   * if it rejects.
   */
  record(inputs: RecordedInputs, answered?: Promise<unknown>): void {
    const bytes = sizeOf(inputs);
    if (bytes > MOST_BYTES) return;
    const copy = copyTensors(inputs);
    if (!answered) {
      this.#keep(copy, bytes);
      return;
    }
    this.#isAwaiting = true;
    void answered
      .then(() => this.#keep(copy, bytes))
      .catch(() => {})
      .finally(() => (this.#isAwaiting = false));
  }

  /** What is kept now, oldest first. */
  requests(): readonly RecordedInputs[] {
    return this.#ring.map(({ inputs }) => inputs);
  }

  #maySample(): boolean {
    const now = this.now();
    if (now - this.#sampledAt < LEAST_APART_MS) return false;
    this.#sampledAt = now;
    return true;
  }

  #keep(inputs: RecordedInputs, bytes: number): void {
    while (this.#ring.length === MOST_REQUESTS || this.#bytes + bytes > MOST_BYTES) {
      this.#bytes -= this.#ring.shift()?.bytes ?? 0;
      this.#isFull = true;
    }
    this.#ring.push({ inputs, bytes });
    this.#bytes += bytes;
    this.#isFull ||= this.#ring.length === MOST_REQUESTS;
  }
}

function sizeOf(inputs: RecordedInputs): number {
  return Object.values(inputs).reduce((sum, { data }) => sum + dataBytes(data), 0);
}

function dataBytes(data: Tensor['data']): number {
  if (data instanceof Uint8Array) return data.length;
  return data.reduce(
    (sum, element) => sum + ELEMENT_OVERHEAD_BYTES + Buffer.byteLength(element),
    0,
  );
}
