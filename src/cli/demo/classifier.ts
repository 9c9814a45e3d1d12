import { join } from 'node:path';
import type { Client } from '../../client/index.js';
import {
  classifierInput,
  readLabelledFiles,
  readLabels,
  topLabel,
  type LabelledFile,
} from './classifier-files.js';
import type { Workload } from './workload.js';

/** The real file type classifier of the assets, over real files: three released versions. */

const MODEL = 'magika';
const ALL_VERSIONS = [1, 2, 3];
/** Versions 2 and 3 take the same input, so the clients need not know which one serves. */
const INITIAL_VERSIONS = [1, 2];
const NEXT_VERSION = 3;

export async function classifierWorkload(assets: string): Promise<Workload> {
  const source = join(assets, 'models', MODEL);
  const files = await readLabelledFiles(join(assets, 'data', 'files'));
  const labels = await readLabels(join(source, String(NEXT_VERSION)));
  return {
    title: `file type classifier (magika) on ${files.length} real files: version 2, then 3`,
    model: MODEL,
    source,
    initialVersions: INITIAL_VERSIONS,
    nextVersion: NEXT_VERSION,
    modelYaml: 'versions: all\n',
    ratePerClient: 10,
    requests: files.map(({ bytes }) => {
      const data = classifierInput(bytes, labels);
      return { bytes: { data, shape: [1, data.length] } };
    }),
    conclude: ({ client }) =>
      Promise.all(
        ALL_VERSIONS.map(async (version) => {
          const right = await countRight(client, version, source, files);
          return `version ${version} named ${right} of ${files.length} files right`;
        }),
      ),
  };
}

/** How many of the files a version names right. */
export async function countRight(
  client: Client,
  version: number,
  source: string,
  files: readonly LabelledFile[],
): Promise<number> {
  const labels = await readLabels(join(source, String(version)));
  const named = await Promise.all(
    files.map(async ({ bytes }) => {
      const data = classifierInput(bytes, labels);
      const inputs = { bytes: { data, shape: [1, data.length] } };
      const { outputs } = await client.infer({ model: MODEL, version, inputs });
      const [scores] = Object.values(outputs);
      return topLabel(scores?.data as Float32Array, labels);
    }),
  );
  return named.filter((label, index) => label === files[index]?.label).length;
}
