/** What the child that tries an ONNX Runtime library (library-main.ts) says of it. Plain JSON. */
export type LibraryReport = OpenedLibrary | { path: string; problem: string };

export interface OpenedLibrary {
  path: string;
  /** Of ONNX Runtime. */
  version: string;
  /** Compiled in, which does not mean that they can be used here. */
  providers: readonly string[];
}
