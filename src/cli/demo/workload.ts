import type { Client, InferAnswer, InputTensor } from '../../client/index.js';

/** What the demo serves, asks and shows. */
export interface Workload {
  title: string;
  /** Name of the model in the demo's repository. */
  model: string;
  /** Folder with one subfolder per version. */
  source: string;
  /** Published before the daemon starts; the newest serves first. */
  initialVersions: readonly number[];
  /** Published under load. */
  nextVersion: number;
  /** Content of model.yaml. */
  modelYaml: string;
  /** Requests a second of each client; two cores carry it with ease. */
  ratePerClient: number;
  /** The clients send these in turn. Both serving versions accept them. */
  requests: readonly Readonly<Record<string, InputTensor>>[];
  /** Lines of the report about what was answered; writes files to `outputDirectory`. */
  conclude(context: Conclusion): Promise<string[]>;
}

export interface Conclusion {
  client: Client;
  outputDirectory: string;
  /** By version, then by index in `requests`: the first answer. */
  answers: ReadonlyMap<number, ReadonlyMap<number, InferAnswer>>;
}
