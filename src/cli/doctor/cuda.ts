import type { Device } from '../../config/device.js';
import { ConfigError } from '../../config/parse.js';
import { chooseDevice, titleOf, type DeviceFacts } from '../../supervisor/device/choose-device.js';
import type { CudaProvider } from '../../supervisor/device/cuda-provider.js';
import type { Gpu, NvidiaHost } from '../../supervisor/device/nvidia.js';
import type { NeededLibrary } from '../../supervisor/device/shared-libraries.js';
import { fail, ok, sizeText, warn, type Check } from './check.js';

/** NVIDIA's driver, GPUs, CUDA's libraries, and what follows from them. */

const CUDA_REMEDY =
  'see whether the driver is new enough for this CUDA, and the GPU free and sound';
const WEBGPU_REMEDY =
  "install Vulkan's loader (libvulkan1) and the GPU's driver for it, and see whether the daemon's user may open /dev/dri";

export function checkDriver({ driver, hasHardware }: NvidiaHost): Check {
  if (driver !== undefined) return ok('NVIDIA driver', driver, { version: driver });
  if (!hasHardware) return ok('NVIDIA driver', 'none, and no NVIDIA hardware');
  return warn(
    'NVIDIA driver',
    'none, but there is NVIDIA hardware',
    "install NVIDIA's driver; in a container, start it with the NVIDIA container toolkit (--gpus all)",
  );
}

export function checkGpus({ driver, gpus, isHidden }: NvidiaHost): Check[] {
  if (driver === undefined) return [];
  if (gpus.length === 0 && !isHidden) {
    return [
      warn(
        'GPUs',
        'the driver shows none',
        'in a container, pass the GPUs in (--gpus all); else see the kernel log for NVRM errors',
      ),
    ];
  }
  const hidden = warn(
    'GPUs',
    'CUDA_VISIBLE_DEVICES hides every GPU',
    'unset CUDA_VISIBLE_DEVICES, or let it name GPUs',
  );
  return [...gpus.map(checkGpu), ...(isHidden ? [hidden] : [])];
}

function checkGpu(gpu: Gpu): Check {
  const { index, name, totalBytes, freeBytes } = gpu;
  const title = `GPU ${index}`;
  if (totalBytes === undefined) {
    const remedy = 'install nvidia-smi, which comes with the driver, to see it';
    return warn(title, `${name}, VRAM unknown`, remedy, { ...gpu });
  }
  const free = freeBytes === undefined ? '' : `, ${sizeText(freeBytes)} free`;
  return ok(title, `${name}, ${sizeText(totalBytes)} of VRAM${free}`, { ...gpu });
}

export function checkDriverLibrary({ driver }: NvidiaHost, library: NeededLibrary): Check[] {
  if (driver === undefined) return [];
  const { name, path, isOutside } = library;
  if (path !== undefined && !isOutside) return [ok(name, path)];
  const found = path === undefined ? 'missing' : outsideText(path);
  return [warn(name, found, "install the driver's libraries, then run ldconfig")];
}

/** The provider, and what it needs; on a host without GPU its absence is no defect. */
export function checkProvider(provider: CudaProvider, { gpus }: NvidiaHost): Check[] {
  const { path, libraries, problem } = provider;
  const name = 'CUDA provider';
  if (problem !== undefined) {
    return [warn(name, `${path} cannot be read: ${problem}`, 'install it again')];
  }
  if (!libraries) {
    const found = `none: ${path} is missing`;
    if (gpus.length === 0) return [ok(name, found)];
    const remedy = 'run "warmswap setup cuda", or name a whole build with CUDA in ortLibrary';
    return [warn(name, found, remedy)];
  }
  return [ok(name, path), ...libraries.filter(isWorthALine).map(checkNeeded)];
}

/** Those of the C library and their like are of interest only where they are missing. */
function isWorthALine({ name, path }: NeededLibrary): boolean {
  return path === undefined || /^lib(cu|nv)/.test(name);
}

function checkNeeded({ name, path, isOutside }: NeededLibrary): Check {
  if (path === undefined)
    return warn(name, 'missing', `install ${packageOf(name)}, then run ldconfig`);
  if (!isOutside) return ok(name, path);
  const folder = path.slice(0, path.lastIndexOf('/'));
  return warn(name, outsideText(path), `add ${folder} to LD_LIBRARY_PATH of the daemon`);
}

function packageOf(name: string): string {
  const major = /\.so\.(\d+)/.exec(name)?.[1];
  const version = major === undefined ? '' : ` ${major}`;
  if (name.startsWith('libcuda.so')) return "NVIDIA's driver";
  if (name.startsWith('libcudnn')) return `cuDNN${version} for this CUDA`;
  return /^lib(cu|nv)/.test(name) ? `the CUDA runtime libraries with ${name}` : name;
}

function outsideText(path: string): string {
  return `${path}, where the dynamic loader does not look`;
}

/** Whether a small model ran on a GPU. */
export function checkRun(device: Device, problem: string | undefined): Check {
  const name = `model on ${titleOf(device)}`;
  if (problem === undefined) return ok(name, 'runs');
  return warn(name, problem, device === 'webgpu' ? WEBGPU_REMEDY : CUDA_REMEDY);
}

/** What the daemon would run on, by the rule that it follows itself. */
export function checkDevice(wanted: string, facts: DeviceFacts): Check {
  try {
    const { devices, reason } = chooseDevice(wanted, facts);
    const names = devices.join(', ');
    return ok('device', reason === `device: ${wanted}` ? names : `${names}: ${reason}`, {
      ...{ wanted, devices, reason },
    });
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    const found = error.message.replaceAll(`device: ${wanted}: `, '').replaceAll('\n', '; ');
    const remedy = `set device to auto or cpu`;
    return fail('device', `${wanted} cannot be used: ${found}`, remedy, { wanted });
  }
}
