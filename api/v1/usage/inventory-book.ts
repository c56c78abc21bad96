import { CONFIGURED_LIST, inventoryOf, listsAsOf, MINUTE } from '@nephometer/core';
import type { Clock, InventoryList, Micros, Store, InventoryRecord } from '@nephometer/core';

/** Another process's entry may show up that long after its `recorded_at`: twice the commit horizon. */
const OVERLAP: Micros = MINUTE;

/** What operators said was there: every list once, followed as the store gets more. */
export class InventoryBook {
  readonly #store: Store;
  readonly #clock: Clock;
  readonly #expected: readonly string[];
  readonly #lists = new Map<string, InventoryList>();
  #newest: Micros | null = null;
  #registered: Promise<void> | null = null;

  /** @param expected `expected_agents` of the configuration */
  constructor(store: Store, clock: Clock, expected: readonly string[]) {
    this.#store = store;
    this.#clock = clock;
    this.#expected = expected;
  }

  /**
   * By name and then moment, as they were known. What the configuration said at the very first start counts for earlier moments, too:
   * nothing was answered before it. @throws StoreUnavailable
   */
  async lists(asOf: Micros): Promise<InventoryList[]> {
    this.#registered ??= this.#register().catch((cause: unknown) => {
      this.#registered = null;
      throw cause;
    });
    await this.#registered;
    await this.#follow();
    const lists = [...this.#lists.values()];
    const configured = lists.filter(({ name }) => name === CONFIGURED_LIST);
    const first = configured.reduce<InventoryList | null>((a, b) => (a !== null && a.at <= b.at ? a : b), null);
    return listsAsOf(
      lists.map((list) => (list === first ? { ...list, recordedAt: Math.min(asOf, list.recordedAt) } : list)),
      asOf,
    );
  }

  async append(name: string, record: InventoryRecord): Promise<InventoryList> {
    const entry = await this.#store.appendEntry({ kind: 'inventory', id: name, body: JSON.stringify(record) });
    return { ...record, name, recordedAt: entry.recordedAt };
  }

  async #follow(): Promise<void> {
    const range = this.#newest === null ? {} : { after: this.#newest - OVERLAP };
    for (const entry of await this.#store.entries({ kind: 'inventory', ...range })) {
      this.#newest = Math.max(this.#newest ?? entry.recordedAt, entry.recordedAt);
      const key = `${entry.recordedAt} ${entry.id}`;
      if (this.#lists.has(key)) continue;
      const list = inventoryOf(entry);
      if (list !== null) this.#lists.set(key, list);
    }
  }

  /** Writes down whom the configuration expects, where that differs from what was written last. */
  async #register(): Promise<void> {
    const [newest] = await this.#store.entries({ kind: 'inventory', id: CONFIGURED_LIST, limit: 1 });
    const agents = [...new Set(this.#expected)].sort();
    const isSame = newest !== undefined && JSON.stringify(inventoryOf(newest)?.agents) === JSON.stringify(agents);
    if (isSame) return;
    const nobody = { resources: null, meters: [], source: null, who: 'configuration', by: 'configuration' };
    await this.append(CONFIGURED_LIST, { ...nobody, at: this.#clock.now(), agents, complete: false });
  }
}
