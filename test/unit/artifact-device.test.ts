import { expect, test } from 'vitest';
import type { Device } from '../../src/config/device.js';
import type { GenerationPlan, VersionPlan } from '../../src/registry/plan.js';
import { artifactDevice, hasArtifactsFor } from '../../src/supervisor/artifact-device.js';
import { versionOptions } from '../support/version-options.js';

const ARTIFACT = {
  ...{ form: 'external' as const, bytes: 1, loadBytes: 1, privateBytes: 1 },
  unpackedSlowdown: 0,
};

function version(madeFor: 'cpu' | 'cuda' | 'nothing', device?: Device): VersionPlan {
  const artifact = madeFor === 'cuda' ? { ...ARTIFACT, device: madeFor } : ARTIFACT;
  return {
    ...{ version: 1, modelPath: '/m/model.onnx', fingerprint: 'f', key: 'k' },
    ...(madeFor === 'nothing' ? {} : { artifact }),
    options: versionOptions(device ? { device } : {}),
  };
}

const plan = (...versions: VersionPlan[]): GenerationPlan => ({
  generation: 1,
  models: [{ name: 'm', active: 1, labels: {}, versions }],
});

test('an artifact is made for the device of the model, or else for that of the workers', () => {
  expect(artifactDevice(version('nothing'), 'cpu')).toBe('cpu');
  expect(artifactDevice(version('nothing'), 'cuda')).toBe('cuda');
  expect(artifactDevice(version('nothing', 'cpu'), 'cuda')).toBe('cpu');
  expect(artifactDevice(version('nothing', 'cuda:1'), 'cuda')).toBe('cuda');
});

test('a plan of a daemon on another device cannot be followed as it is', () => {
  const mixed = plan(version('cuda'), version('cpu', 'cpu'), version('nothing'));
  expect(hasArtifactsFor(mixed, 'cuda')).toBe(true);
  expect(hasArtifactsFor(mixed, 'cpu')).toBe(false);
  expect(hasArtifactsFor(plan(version('cpu')), 'cpu')).toBe(true);
  expect(hasArtifactsFor(plan(version('cpu')), 'cuda')).toBe(false);
});
