import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { InputTensor } from '../../client/index.js';
import { drawScene, writePng, type Picture } from './picture.js';
import type { Conclusion, Workload } from './workload.js';

/** The bundled edge detector: version 1 is Sobel, version 2 Scharr. */

const WIDTH = 320;
const HEIGHT = 240;
const OPERATORS: ReadonlyMap<number, string> = new Map([
  [1, 'sobel'],
  [2, 'scharr'],
]);

export function edgesWorkload(): Workload {
  const scene = drawScene(WIDTH, HEIGHT);
  const image: InputTensor = { data: scene.data, shape: [1, HEIGHT, WIDTH, 3] };
  return {
    title: `edge detector on a picture of ${WIDTH} × ${HEIGHT}: version 1 Sobel, version 2 Scharr`,
    model: 'edges',
    source: fileURLToPath(new URL('../../../models/edges', import.meta.url)),
    initialVersions: [1],
    nextVersion: 2,
    modelYaml: `warmup: { shapes: { image: [1, ${HEIGHT}, ${WIDTH}, 3] } }\n`,
    ratePerClient: 25,
    requests: [{ image }],
    conclude: (conclusion) => writePictures(scene, conclusion),
  };
}

async function writePictures(
  scene: Picture,
  { outputDirectory, answers }: Conclusion,
): Promise<string[]> {
  const input = join(outputDirectory, 'input.png');
  await writePng(input, scene);
  const lines = [`the picture sent: ${input}`];
  for (const [version, operator] of OPERATORS) {
    const edges = answers.get(version)?.get(0)?.outputs.edges?.data as Uint8Array | undefined;
    if (!edges) continue;
    const path = join(outputDirectory, `version-${version}-${operator}.png`);
    await writePng(path, { width: WIDTH, height: HEIGHT, channels: 1, data: edges });
    lines.push(`the answer of version ${version}: ${path}`);
  }
  return lines;
}
