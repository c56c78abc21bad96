import { spawn } from 'node:child_process';

export interface CommandLimits {
  readonly maxSize: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

/** Runs a command by the shell and gives its standard output. It and its children end when its time is over. @throws Error */
export function runCommand(command: string, { maxSize, timeoutMs, signal }: CommandLimits): Promise<string> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(new Error("host_command: the poll's time was over"));
    // A group of its own, so that what the shell starts ends with it.
    const child = spawn('/bin/sh', ['-c', command], { stdio: ['ignore', 'pipe', 'pipe'], detached: true });
    const output: Buffer[] = [];
    let size = 0;
    let errors = '';
    let reason: string | null = null;
    const stop = (why: string): void => {
      reason ??= why;
      if (child.pid === undefined) return;
      try {
        process.kill(-child.pid, 'SIGKILL');
      } catch {
        // It ended in the meantime.
      }
    };
    const onAbort = (): void => stop("the poll's time was over");
    const timer = setTimeout(() => stop(`did not end within ${timeoutMs / 1000} s (timeout)`), timeoutMs);
    signal.addEventListener('abort', onAbort, { once: true });
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > maxSize) stop(`gives more than max_size, ${maxSize} bytes`);
      else output.push(chunk);
    });
    child.stderr.on('data', (chunk: Buffer) => {
      if (errors.length < 200) errors += chunk.toString('utf8');
    });
    const ended = (problem: string | null): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
      if (problem === null) resolve(Buffer.concat(output).toString('utf8'));
      else reject(new Error(`host_command: ${problem}`));
    };
    child.on('error', (cause) => ended(cause.message));
    child.on('close', (code, by) => {
      const said = errors.trim().slice(0, 200);
      const failure = code === 0 ? null : `ended with ${code ?? by}${said === '' ? '' : `: ${said}`}`;
      ended(reason ?? failure);
    });
  });
}
