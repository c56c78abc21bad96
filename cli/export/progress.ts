import type { ExportPartitionAnswer, ExportPlanAnswer } from '@nephometer/api';
import type { LoadWatch } from './load.ts';

/** How often the line on a terminal is drawn again. */
const REDRAW_MS = 200;

/** One line on a terminal that says how far an export is; elsewhere nothing. */
export class ProgressLine implements LoadWatch {
  readonly #out: NodeJS.WriteStream;
  #start = performance.now();
  #drawn = 0;
  #partitions = 0;
  #loaded = 0;
  #done = 0;
  #rows = 0;
  #newRows = 0;
  #bytes = 0;
  #note = '';

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  started({ partitions }: ExportPlanAnswer): void {
    this.#partitions = partitions.length;
    this.#start = performance.now();
    this.#draw(true);
  }

  received(bytes: number): void {
    this.#bytes += bytes;
    this.#draw();
  }

  damaged(file: string): void {
    this.say(`${file} is damaged or missing and is loaded again.`);
  }

  finished({ rows }: ExportPartitionAnswer, isKept: boolean): void {
    this.#done += 1;
    this.#rows += rows;
    this.#note = '';
    if (!isKept) {
      this.#loaded += 1;
      this.#newRows += rows;
    }
    this.#draw();
  }

  waiting(why: string, waitMs: number): void {
    this.#note = `  asking again in ${Math.ceil(waitMs / 1000)} s: ${why}`;
    this.#draw(true);
  }

  /** A sentence above the line. */
  say(text: string): void {
    this.end();
    this.#out.write(`${text}\n`);
  }

  /** Takes the line away. */
  end(): void {
    if (this.#out.isTTY) this.#out.write('\r\u001b[K');
  }

  #draw(isDue = false): void {
    const now = performance.now();
    if (!this.#out.isTTY || (!isDue && now - this.#drawn < REDRAW_MS)) return;
    this.#drawn = now;
    const text = this.#text((now - this.#start) / 1000) + this.#note;
    this.#out.write(`\r\u001b[K${text.slice(0, (this.#out.columns || 80) - 1)}`);
  }

  #text(seconds: number): string {
    const share = this.#partitions === 0 ? 0 : this.#done / this.#partitions;
    const left =
      this.#loaded === 0 ? '' : `  ${spanText((seconds / this.#loaded) * (this.#partitions - this.#done))} left`;
    const rate = seconds > 0 ? Math.round(this.#newRows / seconds) : 0;
    return (
      `${String(Math.floor(100 * share)).padStart(3)} %  ${this.#done}/${this.#partitions} partitions  ` +
      `${grouped(this.#rows)} rows  ${sizeText(this.#bytes)}  ${grouped(rate)} rows/s${left}`
    );
  }
}

/** `1,234,567`. */
export function grouped(count: number): string {
  return String(count).replace(/\B(?=(\d{3})+$)/g, ',');
}

export function sizeText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${power === 0 ? bytes : (bytes / 1024 ** power).toFixed(1)} ${units[power] ?? 'B'}`;
}

function spanText(seconds: number): string {
  if (seconds < 90) return `${Math.ceil(seconds)} s`;
  return seconds < 5400 ? `${Math.ceil(seconds / 60)} min` : `${(seconds / 3600).toFixed(1)} h`;
}
