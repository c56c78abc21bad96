import type { Entry, NewEntry } from '@nephometer/core';
import { WriteRejected } from './client.ts';
import type { InfluxClient } from './client.ts';
import { appendEntries } from './entries.ts';
import type { Writer } from './writer.ts';

interface Waiting {
  readonly entry: NewEntry;
  readonly resolve: (entry: Entry) => void;
  readonly reject: (cause: unknown) => void;
}

/** Most in one piece of writing: in number, and in characters of their bodies unless one alone has more. */
const MOST_ENTRIES = 500;
const MOST_CHARACTERS = 8_000_000;

/** Entries that wait for their turn to write are appended together: a turn costs seven requests, however many they are. */
export class EntryAppends {
  readonly #client: InfluxClient;
  readonly #writer: Pick<Writer, 'exclusive'>;
  #waiting: Waiting[] = [];
  #hasTurn = false;

  constructor(client: InfluxClient, writer: Pick<Writer, 'exclusive'>) {
    this.#client = client;
    this.#writer = writer;
  }

  append(entry: NewEntry): Promise<Entry> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ entry, resolve, reject });
      if (!this.#hasTurn) void this.#queueUp();
    });
  }

  /** Never throws: each entry has its own answer. */
  async #queueUp(): Promise<void> {
    this.#hasTurn = true;
    let group: Waiting[] = [];
    try {
      const entries = await this.#writer.exclusive((session) => {
        // What is done again under another name is the same group.
        if (group.length === 0) group = this.#take();
        return appendEntries(this.#client, session, entriesOf(group));
      });
      settle(group, entries);
    } catch (cause) {
      if (group.length === 0) group = this.#take();
      if (cause instanceof WriteRejected && group.length > 1) await this.#eachAlone(group);
      else for (const { reject } of group) reject(cause);
    }
  }

  #take(): Waiting[] {
    let characters = 0;
    const many = this.#waiting.findIndex(({ entry }, i) => {
      characters += entry.body.length;
      return i > 0 && (i >= MOST_ENTRIES || characters > MOST_CHARACTERS);
    });
    const group = this.#waiting.splice(0, many === -1 ? this.#waiting.length : many);
    this.#hasTurn = false;
    if (this.#waiting.length > 0) void this.#queueUp();
    return group;
  }

  /** One that the server will not take must not keep the others out. */
  async #eachAlone(group: readonly Waiting[]): Promise<void> {
    for (const one of group) {
      const work = this.#writer.exclusive((session) => appendEntries(this.#client, session, entriesOf([one])));
      await work.then((entries) => settle([one], entries), one.reject);
    }
  }
}

function entriesOf(group: readonly Waiting[]): NewEntry[] {
  return group.map(({ entry }) => entry);
}

function settle(group: readonly Waiting[], entries: readonly Entry[]): void {
  group.forEach(({ resolve, reject }, i) => {
    const entry = entries[i];
    if (entry === undefined) reject(new TypeError('An entry was appended without an answer.'));
    else resolve(entry);
  });
}
