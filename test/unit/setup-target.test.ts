import { describe, expect, test } from 'vitest';
import { chooseTarget, defaultFolder } from '../../src/cli/setup/choose-target.js';

const CUDA = 'CUDAExecutionProvider';
const library = { path: '/ort/libonnxruntime.so.1', version: '1.30.0', providers: [CUDA] };
const other = { path: '/tmp/libonnxruntime.so', version: '1.29.1', providers: [CUDA] };

test('a package of the same version goes beside the library', () => {
  const beside = { kind: 'beside', version: '1.30.0' };
  expect(chooseTarget(library, { source: 'a.whl', version: '1.30.0' })).toEqual(beside);
  expect(chooseTarget(library, { source: 'a.jar', core: { ...other, version: '1.30.0' } })).toEqual(
    beside,
  );
});

test('a package of another version with its own ONNX Runtime is installed as a whole', () => {
  expect(chooseTarget(library, { source: 'a.tgz', core: other })).toEqual({
    ...{ kind: 'whole', version: '1.29.1' },
  });
});

test('what the library of a package says is believed, not what its description says', () => {
  const facts = { source: 'a.jar', version: '1.30.0', core: other };
  expect(chooseTarget(library, facts).kind).toBe('whole');
});

describe('a package that fits nowhere is refused', () => {
  test.each([
    [
      'of another version, without ONNX Runtime',
      { version: '1.29.1' },
      /^a\.whl is of ONNX Runtime 1\.29\.1.*in use is 1\.30\.0 \(\/ort/,
    ],
    ['of no version', {}, /^a\.whl tells nothing of its version.*1\.30\.0/],
    [
      'without CUDA',
      { core: { ...other, providers: ['CPUExecutionProvider'] } },
      /^the ONNX Runtime 1\.29\.1 of a\.whl is built without the CUDA provider/,
    ],
  ])('%s', (_, facts, message) => {
    const choose = () => chooseTarget(library, { source: 'a.whl', ...facts });
    expect(choose).toThrow(message);
    expect(choose).toThrow(expect.objectContaining({ code: 'FAILED_PRECONDITION' }));
  });
});

test('a whole ONNX Runtime goes to the data folder of the user', () => {
  expect(defaultFolder('1.29.1', { XDG_DATA_HOME: '/data' })).toBe(
    '/data/warmswap/onnxruntime-1.29.1-cuda',
  );
  expect(defaultFolder('1.29.1', {})).toMatch(
    /\/\.local\/share\/warmswap\/onnxruntime-1\.29\.1-cuda$/,
  );
});
