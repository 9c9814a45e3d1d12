import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { bundledLibraryPath } from '../../src/native/binding.js';
import { compileLibrary, makeLibrary } from './shared-library.js';

/** What packages of ONNX Runtime with CUDA have, nearly empty. */

export const SHARED = 'libonnxruntime_providers_shared.so';
export const CUDA = 'libonnxruntime_providers_cuda.so';
export const CORE = 'libonnxruntime.so.1.29.1';
/** What the provider needs and no host has. */
export const MISSING_LIBRARY = 'libcublas.so.99';

/** Writes both providers into `folder`; unless it is whole, that of CUDA needs a library that is nowhere. */
export function writeProviders(folder: string, { isWhole = false } = {}): void {
  mkdirSync(folder, { recursive: true });
  makeLibrary(join(folder, SHARED));
  const needed = join(folder, MISSING_LIBRARY);
  makeLibrary(needed);
  makeLibrary(join(folder, CUDA), isWhole ? [] : [needed]);
  rmSync(needed);
}

/** Writes an ONNX Runtime that says that it is 1.29.1, and is the shipped one. */
export function writeOtherCore(folder: string): void {
  mkdirSync(folder, { recursive: true });
  const shipped = `-DSHIPPED="${bundledLibraryPath()}"`;
  compileLibrary(join(folder, CORE), OTHER_CORE, [shipped]);
}

/** A wheel's description. */
export function writeMetadata(folder: string, version: string): void {
  const path = join(folder, `onnxruntime_gpu-${version}.dist-info`, 'METADATA');
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, `Metadata-Version: 2.1\nName: onnxruntime-gpu\nVersion: ${version}\n`);
}

/** The entry of the C API has two members. */
const OTHER_CORE = `
#include <dlfcn.h>
#include <cstdint>

struct ApiBase {
  const void* (*getApi)(std::uint32_t version);
  const char* (*version)();
};

extern "C" const ApiBase* OrtGetApiBase() {
  static const auto shipped = reinterpret_cast<const ApiBase* (*)()>(
      dlsym(dlopen(SHIPPED, RTLD_NOW | RTLD_LOCAL), "OrtGetApiBase"));
  static const ApiBase base{shipped()->getApi, [] { return "1.29.1"; }};
  return &base;
}
`;
