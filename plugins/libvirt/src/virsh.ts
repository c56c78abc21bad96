import { execFile } from 'node:child_process';
import type { ExecFileException } from 'node:child_process';
import type { LibvirtConfig } from './config.ts';

/** What one run of virsh gave. It goes on after a command that failed; `failed` tells of the last one. */
export interface VirshOutput {
  readonly stdout: string;
  /** Lines of errors, without `error: `. */
  readonly errors: readonly string[];
  readonly failed: boolean;
}

/**
 * Runs commands of virsh, separated by `;`, in one child process.
 * @throws Error when it cannot be run, or does not end in time
 */
export type RunVirsh = (
  config: Pick<LibvirtConfig, 'uri' | 'virsh'>,
  commands: string,
  limit: { readonly signal: AbortSignal; readonly timeoutMs: number },
) => Promise<VirshOutput>;

/** virsh is there, and so is what it asks, but slow. */
export class VirshTimeout extends Error {}

const LARGEST_OUTPUT = 256 * 1024 * 1024;

/** The real one. Read-only, so that it needs no privilege beyond libvirt's own socket for readers. */
export const runVirsh: RunVirsh = ({ uri, virsh }, commands, { signal, timeoutMs }) =>
  new Promise((resolve, reject) => {
    const env = { ...process.env, LC_ALL: 'C' }; // messages are looked into
    const options = { env, signal, timeout: timeoutMs, killSignal: 'SIGKILL', maxBuffer: LARGEST_OUTPUT } as const;
    execFile(virsh, ['-q', '-r', '-c', uri, commands], options, (cause, stdout, stderr) => {
      const errors = errorLines(stderr);
      if (cause === null) resolve({ stdout, errors, failed: false });
      else if (typeof cause.code === 'number') resolve({ stdout, errors, failed: true });
      else reject(explain(cause, virsh, timeoutMs, signal));
    });
  });

function errorLines(text: string): string[] {
  const lines = text.split('\n').map((line) => line.replace(/^error: /, '').trim());
  return lines.filter((line) => line !== '');
}

function explain(cause: ExecFileException, virsh: string, timeoutMs: number, signal: AbortSignal): Error {
  if (cause.code === 'ENOENT') {
    const where = virsh.includes('/') ? 'does not exist' : 'is not on the PATH';
    return new Error(`${virsh} ${where}; install libvirt's client programs, or name it by the option virsh`);
  }
  if (cause.code === 'EACCES') return new Error(`${virsh} may not be run by this user`);
  if (signal.aborted) return new Error(`${virsh} was stopped: the time of the poll is over`);
  if (cause.killed === true) return new VirshTimeout(`${virsh} did not answer within ${timeoutMs / 1000} s`);
  return new Error(`${virsh} ended early: ${cause.message.split('\n')[0] ?? ''}`);
}
