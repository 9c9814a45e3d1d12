import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, test } from 'vitest';

/** What a bundler meets from each entry of the built client library. */

const root = join(import.meta.dirname, '..', '..');
const IMPORT = /(?:\bfrom|\bimport)\s*\(?\s*['"]([^'"]+)['"]/g;

interface Manifest {
  exports: Record<string, Record<string, string>>;
}

/** The packages, and modules of Node.js, that the entry reaches through its imports. */
async function packagesFrom(entry: string): Promise<string[]> {
  const packages = new Set<string>();
  const files = new Set([entry]);
  for (const file of files) {
    const text = await readFile(file, 'utf8');
    for (const [, specifier = ''] of text.matchAll(IMPORT)) {
      if (specifier.startsWith('.')) files.add(join(dirname(file), specifier));
      else packages.add(specifier);
    }
    expect(text, file).not.toMatch(/\b(process|Buffer|require|__dirname)\b\s*[.([]/);
  }
  return [...packages].sort();
}

async function entryFor(name: string, condition: string): Promise<string> {
  const { exports } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as Manifest;
  return join(root, exports[name]?.[condition] ?? expect.unreachable());
}

test.each(['.', './client'])('browsers get %s with nothing but msgpackr', async (name) => {
  expect(await packagesFrom(await entryFor(name, 'browser'))).toEqual(['msgpackr']);
  expect(await entryFor(name, 'default')).toBe(await entryFor(name, 'browser'));
});

test.each(['.', './client'])('Node.js gets %s with ws as well', async (name) => {
  expect(await packagesFrom(await entryFor(name, 'node'))).toEqual(['msgpackr', 'ws']);
});

test('both entries export the same names', async () => {
  const [node, browser] = await Promise.all(
    ['node', 'browser'].map(async (condition) =>
      Object.keys((await import(await entryFor('./client', condition))) as object).sort(),
    ),
  );
  expect(browser).toEqual(node);
  expect(node).toContain('connect');
});

test('the platform’s own WebSocket is what the browser entry opens', async () => {
  const opened: string[] = [];
  class FailingSocket {
    onclose: ((event: object) => void) | undefined;
    constructor(url: string) {
      opened.push(url);
      queueMicrotask(() => this.onclose?.({ code: 1006, reason: '' }));
    }
  }
  const platform = globalThis as unknown as { WebSocket: unknown };
  const own = platform.WebSocket;
  platform.WebSocket = FailingSocket;
  try {
    const { connect } = await import('../../src/client/browser.js');
    await expect(connect('https://daemon.example')).rejects.toMatchObject({ code: 'UNAVAILABLE' });
    expect(opened).toEqual(['wss://daemon.example/rpc']);
  } finally {
    platform.WebSocket = own;
  }
});
