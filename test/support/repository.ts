import { cp, mkdir, mkdtemp, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fixturesDir } from '../fixtures/paths.js';

/** A model repository in a folder of its own. */
export class TestRepository {
  private constructor(readonly path: string) {}

  static async create(): Promise<TestRepository> {
    return new TestRepository(await mkdtemp(join(tmpdir(), 'warmswap-test-')));
  }

  /** Publishes a fixture (`<fixture>/<fixtureVersion>`) as a publisher should: by renaming it into place. */
  async publish(
    name: string,
    version: number,
    fixture = name,
    fixtureVersion = version,
  ): Promise<void> {
    await this.publishFolder(name, version, join(fixturesDir, fixture, String(fixtureVersion)));
  }

  async publishFolder(name: string, version: number, source: string): Promise<void> {
    const temporary = join(this.path, `.publishing-${name}-${version}`);
    await cp(source, temporary, { recursive: true });
    await mkdir(join(this.path, name), { recursive: true });
    const target = join(this.path, name, String(version));
    await rm(target, { recursive: true, force: true });
    await rename(temporary, target);
  }

  async configure(name: string, yaml: string): Promise<void> {
    await mkdir(join(this.path, name), { recursive: true });
    await writeFile(join(this.path, name, 'model.yaml'), yaml);
  }

  /** Puts a file beside a version as a publisher should. Gives its path. */
  async addFile(name: string, version: number, path: string, content: string): Promise<string> {
    const target = join(this.path, name, String(version), path);
    await mkdir(dirname(target), { recursive: true });
    await writeFile(`${target}.new`, content);
    await rename(`${target}.new`, target);
    return target;
  }

  /** Writes warmswap.yaml. Gives the flags with which a daemon reads it. */
  async daemonConfig(yaml: string): Promise<readonly string[]> {
    const path = join(this.path, 'warmswap.yaml');
    await writeFile(path, yaml);
    return ['--config', path];
  }

  async removeVersion(name: string, version: number): Promise<void> {
    await rm(join(this.path, name, String(version)), { recursive: true });
  }

  async remove(name: string): Promise<void> {
    await rm(join(this.path, name), { recursive: true });
  }

  async delete(): Promise<void> {
    await rm(this.path, { recursive: true, force: true });
  }
}
