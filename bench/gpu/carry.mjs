// `npm run carry:gpu -- [--ort DIR] [--cuda DIR] [--out DIR]`: packs what test:gpu and bench:gpu need on a
// machine without network, Node.js and compiler into parts of at most 60 MiB, with run.sh beside them.
import { execFileSync, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, '../..');
const PART = '60M';
const MEBIBYTE = 2 ** 20;

/** Of the project, as they lie in it. */
const FILES = [
  'package.json',
  'tsconfig.json',
  'dist',
  'src',
  'models',
  'bench/gpu',
  'bench/lib',
  'test/gpu',
  'test/fixtures',
  'test/support',
  'build/Release/warmswap.node',
  'build/Release/short_io.so',
  'build/bench/load/warmswap_load',
];
/** Needed to build the addon alone. */
const BUILD_ONLY = ['cmake-js', 'node-addon-api'];
/** What runs TypeScript, and writes the models. */
const TOOLS = ['tsx', 'protobufjs'];

function readFlags() {
  const options = {
    ort: { type: 'string' },
    cuda: { type: 'string' },
    out: { type: 'string', default: join(root, 'build', 'gpu-carry') },
  };
  return parseArgs({ options }).values;
}

async function main() {
  const { ort, cuda, out } = readFlags();
  requireBuilt();
  const tree = mkdtempSync(join(tmpdir(), 'warmswap-carry-'));
  try {
    for (const file of FILES) copy(join(root, file), join(tree, file));
    copy(process.execPath, join(tree, 'bin', 'node'));
    writeFileSync(join(tree, 'build', 'commit'), `${commit()}\n`);
    for (const name of runtimePackages()) copyPackage(name, tree);
    if (ort !== undefined) copyLibraries(resolve(ort), join(tree, 'ort'), /^libonnxruntime.*\.so/);
    if (cuda !== undefined) copyLibraries(resolve(cuda), join(tree, 'cuda'), /\.so(\.\d+)*$/);
    rmSync(out, { recursive: true, force: true });
    mkdirSync(out, { recursive: true });
    await packInParts(tree, out);
  } finally {
    rmSync(tree, { recursive: true, force: true });
  }
  copyFileSync(join(here, 'run.sh'), join(out, 'run.sh'));
  describe(out);
}

function requireBuilt() {
  const missing = FILES.find((file) => !existsSync(join(root, file)));
  if (missing === undefined) return;
  throw new Error(
    `${missing} is missing: run "npm ci" and "node native/build/build-load-generator.mjs" first`,
  );
}

/** What the program imports at run time, by the names of packages, with all that those need. */
function runtimePackages() {
  const { dependencies } = readPackage(root);
  const wanted = Object.keys(dependencies).filter((name) => !BUILD_ONLY.includes(name));
  const found = new Set([...wanted, ...TOOLS]);
  for (const name of found) {
    const folder = join(root, 'node_modules', name);
    const { dependencies: needed = {}, optionalDependencies: optional = {} } = readPackage(folder);
    const isThere = (other) => existsSync(join(root, 'node_modules', other));
    for (const other of [...Object.keys(needed), ...Object.keys(optional)].filter(isThere)) {
      found.add(other);
    }
  }
  return [...found];
}

function readPackage(folder) {
  return JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
}

/** Of onnxruntime-node, only what this platform can open. */
function copyPackage(name, tree) {
  const source = join(root, 'node_modules', name);
  const others = new RegExp(`/bin/napi-v6/(?!linux($|/(?:${process.arch})?($|/)))`);
  copy(source, join(tree, 'node_modules', name), (path) => !others.test(path));
}

function copyLibraries(folder, target, pattern) {
  const names = readdirSync(folder).filter((name) => pattern.test(name));
  if (names.length === 0) throw new Error(`${folder} has no libraries`);
  for (const name of names) copy(join(folder, name), join(target, name));
}

function copy(source, target, filter = () => true) {
  mkdirSync(dirname(target), { recursive: true });
  cpSync(source, target, { recursive: true, dereference: true, filter });
}

function commit() {
  const git = (...args) => execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
  return git('rev-parse', '--short', 'HEAD') + (git('status', '--porcelain') === '' ? '' : '+');
}

async function packInParts(tree, out) {
  const tar = spawn('tar', ['-C', tree, '-cf', '-', '.'], { stdio: ['ignore', 'pipe', 'inherit'] });
  const gzip = spawn('gzip', ['-9'], { stdio: [tar.stdout, 'pipe', 'inherit'] });
  const split = spawn('split', ['-b', PART, '-d', '-a', '3', '-', join(out, 'part-')], {
    stdio: [gzip.stdout, 'inherit', 'inherit'],
  });
  const ends = [tar, gzip, split].map(async (child) => {
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`${child.spawnfile} ended with ${code}`);
  });
  await Promise.all(ends);
  const lines = parts(out).map((name) => `${digest(join(out, name))}  ${name}\n`);
  writeFileSync(join(out, 'SHA256SUMS'), lines.join(''));
}

function parts(out) {
  return readdirSync(out)
    .filter((name) => name.startsWith('part-'))
    .sort();
}

function digest(path) {
  return createHash('sha256').update(readFileSync(path)).digest('hex');
}

function describe(out) {
  for (const name of parts(out)) {
    console.log(`${name}  ${(statSync(join(out, name)).size / MEBIBYTE).toFixed(1)} MiB`);
  }
  console.log(`bring ${out} to the other machine and run: sh run.sh`);
}

try {
  await main();
} catch (error) {
  console.error(`carry: ${error.message}`);
  process.exitCode = 1;
}
