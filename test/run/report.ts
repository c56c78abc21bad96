/** Assertions, counted. */
export interface Totals {
  readonly passed: number;
  readonly failed: number;
}

/**
 * Reads tap's own output: prints a line for a test file in which all is well, and everything of one that failed.
 *
 * What is counted stands in tap's last line, `# { total: 3, pass: 2, fail: 1 }`. Without it (tap crashed or was ended) the
 * files that passed are counted, and one failure.
 */
export class TapReport {
  readonly #print: (text: string) => void;
  #rest = '';
  #file: string[] = [];
  #counts: Totals | undefined;
  #filesPassed = 0;

  constructor(print: (text: string) => void) {
    this.#print = print;
  }

  write(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) this.#line(line);
  }

  /** @param succeeded whether tap ended with status 0 */
  totals(succeeded: boolean): Totals {
    this.#print(this.#file.join('\n')); // of a file that never came to its end
    const { passed, failed } = this.#counts ?? { passed: this.#filesPassed, failed: 1 };
    return { passed, failed: succeeded ? failed : Math.max(failed, 1) };
  }

  #line(line: string): void {
    const counts = /^# \{ total: (\d+), pass: (\d+)(.*)\}/.exec(line);
    if (counts) this.#counts = { passed: Number(counts[2]), failed: Number(counts[1]) - Number(counts[2]) };
    else if (/^ok \d+ - /.test(line)) this.#passed(line);
    else if (!isChatter(line)) this.#file.push(line);
    // A failed file is printed once the next one begins, as its diagnostics follow its result.
    if (line.startsWith('# Subtest: ') || counts) this.#failed();
  }

  #passed(line: string): void {
    this.#filesPassed++;
    this.#print(`${line.replace(/^ok \d+ - /, 'ok   ')}\n`);
    this.#file = [];
  }

  #failed(): void {
    const next = this.#file.at(-1)?.startsWith('# Subtest: ') ? this.#file.splice(-1) : [];
    if (this.#file.some((line) => line.startsWith('not ok '))) this.#print(`${this.#file.join('\n')}\n`);
    this.#file = next;
  }
}

function isChatter(line: string): boolean {
  return line === '' || line.startsWith('TAP version') || /^1\.\.\d+/.test(line) || line.startsWith('# time=');
}
