import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { ADMIN } from '../usage/api.ts';
import { NEPHOMETER } from './nephometer.ts';

/** A folder that goes with the test. */
export function scratch(t: Test): string {
  const path = mkdtempSync(join(tmpdir(), 'nephometer-export-'));
  t.teardown(() => rmSync(path, { recursive: true, force: true }));
  return path;
}

export interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs the command against an API to its end. */
export function runNephometer(url: string, args: readonly string[], token = ADMIN): Promise<Ran> {
  const env = { ...process.env, NEPHOMETER_TOKEN: token, NEPHOMETER_URL: url };
  return new Promise((resolve) => {
    execFile(process.execPath, [NEPHOMETER, ...args], { env, maxBuffer: 64e6 }, (cause, stdout, stderr) => {
      resolve({ code: cause === null ? 0 : Number(cause.code), stdout, stderr });
    });
  });
}

/** SHA-256 of the files of a folder, by name. */
export function contents(path: string): Record<string, string> {
  const digest = (name: string): string =>
    createHash('sha256')
      .update(readFileSync(join(path, name)))
      .digest('hex');
  return Object.fromEntries(
    readdirSync(path)
      .sort()
      .map((name) => [name, digest(name)]),
  );
}
