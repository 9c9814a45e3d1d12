/** What a parent asks of session.ts, and what it answers. */
export type SessionRequest =
  /** Threads of one run; ONNX Runtime's own choice if left out. */
  | { type: 'create'; modelPath: string; threads?: number }
  | { type: 'run'; rows: number; width: number; seconds: number }
  | { type: 'infer'; input: readonly number[] };

export type SessionReply =
  | { createMs: number }
  | { runs: number; p50Us: number }
  | { output: readonly number[] }
  | { error: string };
