import { deviceKind, type DeviceKind } from '../config/device.js';
import type { GenerationPlan, VersionPlan } from '../registry/plan.js';

/** What the artifact of a version has to be made for, where the workers run on `workers`. */
export function artifactDevice(
  { options }: Pick<VersionPlan, 'options'>,
  workers: DeviceKind,
): DeviceKind {
  return options.device ? deviceKind(options.device) : workers;
}

/** Whether all that a plan serves can be loaded by workers on such devices. */
export function hasArtifactsFor({ models }: GenerationPlan, workers: DeviceKind): boolean {
  return models
    .flatMap(({ versions }) => versions)
    .filter(({ artifact }) => artifact)
    .every((version) => (version.artifact?.device ?? 'cpu') === artifactDevice(version, workers));
}
