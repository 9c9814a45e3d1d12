/** Writes the bundled model repository: `tsx models/generate.ts`. */
import { join } from 'node:path';

import { EDGE_OPERATORS, edgeDetector } from './edge-detector.js';
import { writeModel } from './onnx/index.js';

for (const [version, operator] of Object.entries(EDGE_OPERATORS)) {
  writeModel(join(import.meta.dirname, 'edges', version), edgeDetector(operator));
}
