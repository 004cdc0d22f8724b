import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { forgetFailure, recentFailure, rememberFailure } from '../../../embedded/sink/failed-download.ts';

const url = 'https://mirror.example/sink.zip';
const at = new Date('2026-01-02T03:04:05Z');
let folder: string;
let file: string;

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'failed-download-'));
  file = path.join(folder, 'failed-download.json');
});
afterEach(() => {
  rmSync(folder, { recursive: true });
});

describe('a failed download', () => {
  it('is remembered for six hours', () => {
    rememberFailure(file, url, '404', at);
    expect(recentFailure(file, url, hoursLater(5.9))).toMatchObject({ reason: '404', at: at.toISOString() });
    expect(recentFailure(file, url, hoursLater(6))).toBeUndefined();
  });

  it('says nothing about another address', () => {
    rememberFailure(file, url, '404', at);
    expect(recentFailure(file, 'https://other.example/sink.zip', at)).toBeUndefined();
  });

  it('is forgotten when the clock was set back, when it cannot be read and when told so', () => {
    rememberFailure(file, url, '404', at);
    expect(recentFailure(file, url, hoursLater(-1))).toBeUndefined();
    forgetFailure(file);
    expect(recentFailure(file, url, at)).toBeUndefined();
    writeFileSync(file, '{ half');
    expect(recentFailure(file, url, at)).toBeUndefined();
    writeFileSync(file, '{}');
    expect(recentFailure(file, url, at)).toBeUndefined();
  });
});

function hoursLater(hours: number): Date {
  return new Date(at.getTime() + hours * 3_600_000);
}
