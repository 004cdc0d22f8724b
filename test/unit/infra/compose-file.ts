import { readFileSync } from 'node:fs';
import path from 'node:path';
import { parse } from 'yaml';
import { projectRoot } from '../../../core/home.ts';

export interface ComposeService {
  profiles: string[];
  image: string;
  build?: { context: string; dockerfile?: string; args?: Record<string, string> };
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  secrets?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: { test?: string[]; disable?: boolean };
  command?: string | string[];
  mem_limit: string;
}

export interface ComposeFile {
  services: Record<string, ComposeService>;
  secrets: Record<string, { environment: string }>;
  volumes: Record<string, null>;
}

export function readProjectFile(file: string): string {
  return readFileSync(path.join(projectRoot, file), 'utf8');
}

/** docker-compose.yml with its anchors merged and its variables as they are written. */
export function readComposeFile(): ComposeFile {
  return parse(readProjectFile('docker-compose.yml'), { merge: true }) as ComposeFile;
}

export interface Dashboard {
  panels: { title: string; targets: { expr: string }[] }[];
}

export interface Rules {
  groups: { rules: { alert: string; expr: string; annotations: { summary?: string } }[] }[];
}
