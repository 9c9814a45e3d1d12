// Takes files out of Debian packages, without root and without installing anything.
import { existsSync } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { capture } from './command.mjs';
import { makeAtomically } from './temporary-folder.mjs';

const KEYRINGS = ['pgp', 'gpg'].map((end) => `/usr/share/keyrings/debian-archive-keyring.${end}`);

// The machine's hooks, pins and extra indexes have no part in this.
const INDEPENDENT_OF_THE_MACHINE = `
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear APT::Default-Release;
Dir::Etc::sourceparts "-";
Dir::Etc::preferences "-";
Dir::Etc::preferencesparts "-";
Dir::State::status "/dev/null";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Acquire::AllowInsecureRepositories "false";
Acquire::Languages "none";
Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::http::Timeout "15";
Acquire::https::Timeout "15";
Acquire::Retries "1";
`;

/**
 * Downloads packages of the given Debian suites from the mirror that this machine uses, checks them
 * against the machine's Debian keyring, and extracts all of them to the folder `into`.
 * Throws an Error with a short reason if this is no Debian machine or the download fails.
 */
export async function extractDebianPackages({ names, suites, into }) {
  const keyring = KEYRINGS.find(existsSync);
  if (!keyring) throw new Error('this machine has no Debian keyring');
  const mirrors = await debianMirrors();
  await makeAtomically(into, async (folder) => {
    const archives = await downloadFromFirst(mirrors, { names, suites, keyring, folder });
    const extracted = join(folder, 'extracted');
    for (const archive of archives) await runOrThrow('dpkg', ['-x', archive, extracted]);
    return extracted;
  });
}

/** The archives in the machine's own apt sources; security ones hold few packages. */
async function debianMirrors() {
  const format = ['--format', '$(REPO_URI)', 'Created-By: Packages'];
  const lines = (await runOrThrow('apt-get', ['indextargets', ...format])).split('\n');
  const mirrors = new Set(lines.filter((line) => line && !line.includes('security')));
  if (mirrors.size === 0) throw new Error('apt has no package sources');
  return [...mirrors];
}

async function downloadFromFirst(mirrors, request) {
  let lastError;
  for (const [index, mirror] of mirrors.entries()) {
    const workspace = join(request.folder, `mirror-${index}`);
    try {
      return await download({ ...request, mirror, workspace });
    } catch (error) {
      lastError = error;
    }
  }
  throw lastError;
}

async function download({ names, suites, keyring, mirror, workspace }) {
  for (const folder of ['lists/partial', 'cache/archives/partial', 'package']) {
    await mkdir(join(workspace, folder), { recursive: true });
  }
  const sources = suites.map((suite) => `deb [signed-by=${keyring}] ${mirror} ${suite} main\n`);
  await writeFile(join(workspace, 'sources.list'), sources.join(''));
  await writeFile(join(workspace, 'apt.conf'), aptConfiguration(workspace));
  const apt = (command, ...args) =>
    runOrThrow('apt-get', ['-c', join(workspace, 'apt.conf'), '-q', command, ...args], {
      cwd: join(workspace, 'package'),
    });
  await apt('update');
  await apt('download', ...names);
  const archives = await readdir(join(workspace, 'package'));
  return archives.map((archive) => join(workspace, 'package', archive));
}

/** Has apt read and write nothing but the workspace. */
function aptConfiguration(workspace) {
  return `
Dir::Etc::sourcelist "${workspace}/sources.list";
Dir::State "${workspace}";
Dir::Cache "${workspace}/cache";
${INDEPENDENT_OF_THE_MACHINE}`;
}

async function runOrThrow(program, args, options) {
  const { ok, missing, stdout, output } = await capture(program, args, options);
  if (missing) throw new Error(`${program} is missing`);
  if (!ok) throw new Error(reasonIn(output) ?? `${program} failed`);
  return stdout;
}

function reasonIn(aptOutput) {
  return /^E: (.+)$/m.exec(aptOutput)?.[1].trim().slice(0, 160);
}
