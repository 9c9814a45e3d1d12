import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { benchBuild } from './paths.js';

/** A model repository of a daemon under test. Versions are hard links to the generated models. */
export class BenchRepository {
  readonly path: string;

  constructor() {
    const parent = join(benchBuild, 'repositories');
    mkdirSync(parent, { recursive: true });
    this.path = mkdtempSync(join(parent, 'models-'));
  }

  /** Complete under a temporary name, then renamed into place, as any publisher should. */
  publish(name: string, version: number, folder: string): void {
    const temporary = join(this.path, `.publishing-${name}-${version}`);
    mkdirSync(temporary);
    for (const file of readdirSync(folder)) linkSync(join(folder, file), join(temporary, file));
    mkdirSync(join(this.path, name), { recursive: true });
    renameSync(temporary, join(this.path, name, String(version)));
  }

  /** Writes model.yaml. */
  configure(name: string, yaml: string): void {
    mkdirSync(join(this.path, name), { recursive: true });
    writeFileSync(join(this.path, name, 'model.yaml'), yaml);
  }

  withdraw(name: string, version?: number): void {
    const folder = version === undefined ? name : join(name, String(version));
    rmSync(join(this.path, folder), { recursive: true, force: true });
  }

  delete(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
