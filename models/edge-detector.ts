import { model, node, onnxCode, tensor, valueInfo, type Model } from './onnx/index.js';

/** A horizontal derivative kernel: `smoothing` down the rows, times [-1, 0, 1] along the columns. */
export interface EdgeOperator {
  readonly name: string;
  readonly smoothing: readonly [number, number, number];
}

/** The versions of the model `edges`. */
export const EDGE_OPERATORS: Readonly<Record<number, EdgeOperator>> = {
  1: { name: 'sobel', smoothing: [1, 2, 1] },
  2: { name: 'scharr', smoothing: [3, 10, 3] },
};

// Rec. 709 luma of R, G and B.
const LUMA_WEIGHTS = [0.2126, 0.7152, 0.0722];

/**
 * An edge detector. Input `image` UINT8 [n, height, width, 3], RGB; output `edges` UINT8
 * [n, height, width]: the gradient's magnitude, rounded and clipped to 0..255. The kernels are scaled
 * so that a straight step from black to white gives 255. The border is padded with its own pixels.
 */
export function edgeDetector({ name, smoothing }: EdgeOperator): Model {
  return model({
    graph: {
      name,
      inputs: [valueInfo('image', 'UINT8', ['n', 'height', 'width', 3])],
      outputs: [valueInfo('edges', 'UINT8', ['n', 'height', 'width'])],
      nodes: [
        node('Cast', ['image'], ['rgb'], { to: { int: onnxCode('FP32') } }),
        node('MatMul', ['rgb', 'luma_weights'], ['luma']),
        node('Transpose', ['luma'], ['plane'], { perm: { ints: [0, 3, 1, 2] } }),
        node('Pad', ['plane', 'one_pixel'], ['padded'], { mode: { string: 'edge' } }),
        node('Conv', ['padded', 'kernels'], ['gradient'], { kernel_shape: { ints: [3, 3] } }),
        node('ReduceL2', ['gradient'], ['magnitude'], {
          axes: { ints: [1] },
          keepdims: { int: 0 },
        }),
        node('Clip', ['magnitude', 'black', 'white'], ['clipped']),
        node('Round', ['clipped'], ['rounded']),
        node('Cast', ['rounded'], ['edges'], { to: { int: onnxCode('UINT8') } }),
      ],
      initializers: [
        tensor('luma_weights', 'FP32', [3, 1], LUMA_WEIGHTS),
        tensor('one_pixel', 'INT64', [8], [0, 0, 1, 1, 0, 0, 1, 1]),
        tensor('kernels', 'FP32', [2, 1, 3, 3], gradientKernels(smoothing)),
        tensor('black', 'FP32', [], [0]),
        tensor('white', 'FP32', [], [255]),
      ],
    },
  });
}

/** The derivative kernels along x and then y, row-major, scaled to a gain of 1 for a step. */
function gradientKernels(smoothing: readonly number[]): number[] {
  const gain = smoothing.reduce((sum, weight) => sum + weight, 0);
  const alongX = smoothing.flatMap((weight) => [-weight / gain, 0, weight / gain]);
  const alongY = [-1, 0, 1].flatMap((sign) => smoothing.map((weight) => (sign * weight) / gain));
  return [...alongX, ...alongY];
}
