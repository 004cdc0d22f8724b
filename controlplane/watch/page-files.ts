import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';

export interface PageFile {
  /** With its character set. */
  type: string;
  body: string;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml; charset=utf-8',
};

/**
 * The status page by the path each file is served under, `/` for the page itself: read once, as they are. They hold
 * nothing of what is watched.
 */
export function readPageFiles(folder = path.join(import.meta.dirname, 'page')): Map<string, PageFile> {
  return new Map(
    readdirSync(folder)
      .sort()
      .map((name) => {
        const type = types[path.extname(name)] ?? 'application/octet-stream';
        const body = readFileSync(path.join(folder, name), 'utf8');
        return [name === 'index.html' ? '/' : `/page/${name}`, { type, body }];
      }),
  );
}

/**
 * What the page may do: load its own files and ask its own server, nothing else. A text that somebody takes for
 * markup cannot become a script: `require-trusted-types-for` makes the browser refuse every way to that.
 */
export const contentSecurityPolicy = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "require-trusted-types-for 'script'",
].join('; ');
