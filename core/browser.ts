import { existsSync } from 'node:fs';
import path from 'node:path';
import { chromium, type Browser } from 'playwright-core';
import { PipelineError } from './errors.ts';
import { runCommand } from './run-command.ts';

/** What Chromium is called where it comes from a package, and where macOS has it. */
const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
const elsewhere = [
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
];

/**
 * A real browser without a window: the Chromium that `CHROMIUM` names, or one that is installed, or on Debian, as
 * root, as in CI, one that is installed for it. Whoever starts it closes it.
 *
 * @throws PipelineError `CHROMIUM_MISSING`
 */
export async function startBrowser(): Promise<Browser> {
  const executablePath = findChromium() ?? (await installChromium());
  // As root, and in a container, Chromium's own sandbox does not start. It opens nothing but our own page.
  return chromium.launch({ executablePath, args: ['--no-sandbox'] });
}

function findChromium(): string | undefined {
  const named = process.env['CHROMIUM'];
  if (named) {
    if (existsSync(named)) return named;
    throw new PipelineError('CHROMIUM_MISSING', {
      what: 'There is no Chromium where CHROMIUM says',
      where: named,
      todo: 'Set CHROMIUM to the path of the program, or unset it.',
    });
  }
  const folders = (process.env['PATH'] ?? '').split(path.delimiter);
  const candidates = names.flatMap((name) => folders.map((folder) => path.join(folder, name)));
  return [...candidates, ...elsewhere].find((file) => existsSync(file));
}

async function installChromium(): Promise<string> {
  if (process.getuid?.() === 0 && existsSync('/usr/bin/apt-get')) {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const options = { purpose: 'Installing Chromium', env, timeoutMs: 300_000 };
    await runCommand('apt-get', ['update', '-q'], options);
    // Without a font the page would be empty boxes.
    const packages = ['chromium', 'fonts-dejavu-core'];
    await runCommand('apt-get', ['install', '-qy', '--no-install-recommends', ...packages], options);
  }
  const installed = findChromium();
  if (installed !== undefined) return installed;
  throw new PipelineError('CHROMIUM_MISSING', {
    what: 'Pages and reports need Chromium, and there is none',
    todo: 'Install Chromium or Chrome, or set CHROMIUM to the path of the program.',
  });
}
