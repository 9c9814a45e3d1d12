import type { Device } from '../config/device.js';

/** The device of one more worker: the one that fewest have, the first of those. */
export function placeWorker(devices: readonly Device[], taken: readonly Device[]): Device {
  const workers = (device: Device) => taken.filter((each) => each === device).length;
  return devices.reduce((best, next) => (workers(next) < workers(best) ? next : best));
}
