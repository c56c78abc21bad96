import { readFile, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { HostConfig } from './config.ts';
import type { MeterName } from './meters.ts';

/** One value, before it is a reading of the node. */
export interface Measured {
  readonly meter: MeterName;
  readonly volume: bigint | string;
  /** The interface, disk or device that it belongs to; without one, the node. */
  readonly part?: string;
  readonly metadata?: Readonly<Record<string, unknown>>;
}

/** The files of the node, wherever they are mounted. */
export class NodeFiles {
  readonly config: HostConfig;

  constructor(config: HostConfig) {
    this.config = config;
  }

  /** Text of a file below /proc. */
  proc(path: string): Promise<string> {
    return readFile(join(this.config.proc, path), 'utf8');
  }

  /**
   * A file of the first process, else our own view: network and mounts differ by namespace, and an agent may have its
   * own.
   */
  async procOfInit(path: string): Promise<string> {
    return this.proc(join('1', path)).catch(() => this.proc(path));
  }

  /** Trimmed text of a file below /sys; null when it is not there or cannot be read (an interface that is down). */
  async sys(path: string): Promise<string | null> {
    return readFile(join(this.config.sys, path), 'utf8').then(
      (text) => text.trim(),
      () => null,
    );
  }

  /** Names below a folder of /sys; null without it. */
  async sysList(path: string): Promise<readonly string[] | null> {
    return readdir(join(this.config.sys, path)).catch(() => null);
  }
}

/** The digits of a field. @throws Error that names file and field */
export function digits(text: string | undefined, what: string): string {
  if (text !== undefined && /^\d+$/.test(text)) return text;
  throw new Error(`${what}: found ${JSON.stringify(text ?? 'nothing')}; a whole number would be right`);
}
