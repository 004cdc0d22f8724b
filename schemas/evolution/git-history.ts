import { PipelineError } from '../../core/errors.ts';
import { projectRoot } from '../../core/home.ts';
import { runCommand } from '../../core/run-command.ts';

const timeoutMs = 30_000;
const folder = 'schemas';

/** A file as a commit of the main line left it. */
export interface FileVersion {
  /** The commit's first eight characters and its date. */
  label: string;
  text: string;
}

/** The schemas as they were at a commit, and on the way there. */
export interface SchemaHistory {
  /** As in "compared with <label>". */
  label: string;
  /** A file of `schemas/` at the base; undefined where it was not there. */
  read(path: string): string | undefined;
  /**
   * The versions of a file of `schemas/` that is there at the base, newest first, through renames. Only those that
   * commits of the main line left: what came and went within a branch was never registered.
   */
  versionsOf(path: string): readonly FileVersion[];
}

/**
 * Reads from git, without any service and without touching the work tree. The base is where the current branch left
 * `ref`: what `ref` got since then is not undone by the branch.
 *
 * @throws PipelineError `GIT_REF_UNKNOWN`, `GIT_HISTORY_SHALLOW`, `COMMAND_NOT_FOUND`, `COMMAND_FAILED`
 */
export async function readGitHistory(
  ref: string,
  { root = projectRoot, signal }: { root?: string; signal?: AbortSignal } = {},
): Promise<SchemaHistory> {
  const git = async (args: readonly string[], input?: string) => {
    const { stdout } = await runCommand('git', args, {
      purpose: 'Reading the history of the schemas from git',
      cwd: root,
      timeoutMs,
      todo: 'Run it inside a git checkout of the project.',
      ...(input === undefined ? {} : { input }),
      ...(signal === undefined ? {} : { signal }),
    });
    return stdout;
  };
  if ((await git(['rev-parse', '--is-shallow-repository'])).trim() === 'true') {
    throw new PipelineError('GIT_HISTORY_SHALLOW', {
      what: 'The clone is shallow: earlier versions of the schemas are not in it',
      where: root,
      todo: 'Fetch them with "git fetch --unshallow"; in GitHub Actions set fetch-depth: 0.',
    });
  }
  const commit = await resolveRef(git, ref);
  const base = await git(['merge-base', commit, 'HEAD']).then(
    (id) => id.trim(),
    () => commit,
  );
  const changes = parseLog(
    await git([
      ...[
        'log',
        '--first-parent',
        '-m',
        '--raw',
        '-M',
        '-z',
        '--no-abbrev',
        '--relative',
        '--format=%x01%h %cs',
        base,
      ],
      ...['--', `${folder}/*.avsc`],
    ]),
  );
  const files = parseTree(await git(['ls-tree', '-r', '-z', base, '--', `${folder}/`]));
  const blobs = [...files.values(), ...changes.flatMap(({ entries }) => entries.map(({ blob }) => blob))];
  const texts = await readBlobs(git, blobs);
  const textOf = (blob: string | undefined) => (blob === undefined ? undefined : texts.get(blob));
  return {
    label: base.startsWith(ref) ? ref : `${ref} (${base.slice(0, 8)})`,
    read: (path) => textOf(files.get(`${folder}/${path}`)),
    versionsOf: (path) => {
      const versions: FileVersion[] = [];
      let name = `${folder}/${path}`;
      for (const { label, entries } of changes) {
        const entry = entries.find((one) => one.path === name);
        const text = textOf(entry?.blob);
        if (entry === undefined) continue;
        if (text !== undefined) versions.push({ label, text });
        name = entry.from ?? name;
      }
      return versions;
    },
  };
}

type Git = (args: readonly string[], input?: string) => Promise<string>;

async function resolveRef(git: Git, ref: string): Promise<string> {
  try {
    // A name that starts with a dash would be an option.
    return (await git(['rev-parse', '--verify', '--quiet', '--end-of-options', `${ref}^{commit}`])).trim();
  } catch (error) {
    if (!(error instanceof PipelineError) || error.code !== 'COMMAND_FAILED') throw error;
    throw new PipelineError('GIT_REF_UNKNOWN', {
      what: `git knows no commit "${ref}"`,
      todo: 'Name a branch, a tag or a commit of this clone, as in --base origin/main; fetch it first.',
      cause: error,
    });
  }
}

interface Commit {
  label: string;
  entries: { path: string; blob: string; from?: string }[];
}

/** `:<mode> <mode> <blob> <blob> <status>NUL<path>NUL`, with two paths for a rename; commits begin with \x01. */
function parseLog(text: string): Commit[] {
  return text
    .split('\x01')
    .slice(1)
    .map((commit) => {
      const [label = '', ...parts] = commit.split('\0').map((part) => part.replace(/^\n/, ''));
      const entries: Commit['entries'] = [];
      for (let at = 0; at < parts.length; at += 1) {
        const [, blob, status] = /^:\d+ \d+ \w+ (\w+) ([A-Z])/.exec(parts[at] ?? '') ?? [];
        if (blob === undefined) continue;
        const first = parts[at + 1] ?? '';
        if (status === 'R' || status === 'C') {
          entries.push({ path: parts[at + 2] ?? '', blob, from: first });
        } else if (status !== 'D') entries.push({ path: first, blob });
      }
      const [hash = '', date = ''] = label.trim().split(' ');
      return { label: `${hash} of ${date}`, entries };
    });
}

/** `<mode> blob <id>TAB<path>NUL` */
function parseTree(text: string): Map<string, string> {
  const entries = [...text.matchAll(/\d+ blob (\w+)\t([^\0]+)\0/g)];
  return new Map(entries.map(([, blob = '', path = '']) => [path, blob]));
}

/** All of them in one process. */
async function readBlobs(git: Git, blobs: readonly string[]): Promise<Map<string, string>> {
  const ids = [...new Set(blobs)];
  if (ids.length === 0) return new Map();
  // Sizes are in bytes.
  const output = Buffer.from(await git(['cat-file', '--batch'], `${ids.join('\n')}\n`));
  const texts = new Map<string, string>();
  for (let at = 0; at < output.length;) {
    const end = output.indexOf('\n', at);
    const [id = '', , size] = output.toString('utf8', at, end).split(' ');
    const length = Number(size);
    if (Number.isNaN(length)) break;
    texts.set(id, output.toString('utf8', end + 1, end + 1 + length));
    at = end + 1 + length + 1;
  }
  return texts;
}
