import { compareText, formatInstant } from '@nephometer/core';
import type { Micros, StatementPart, StatementWarning } from '@nephometer/core';
import { httpError } from '../../errors.ts';
import { findingsOf, listsWithin } from '../usage/findings.ts';
import type { FoundResource } from '../usage/findings.ts';
import { OF_RESOURCES, unheardAgents } from '../usage/warnings.ts';
import type { WarningSources } from '../usage/warnings.ts';
import { nameOf } from './low-lines.ts';

interface Period {
  readonly from: Micros;
  readonly to: Micros;
  readonly asOf: Micros;
}

/** What no line of a period can show, looked up once for all projects that are closed together. */
export class PeriodWarnings {
  readonly #sources: WarningSources;
  readonly #period: Period;
  readonly #findings = new Map<string, Promise<FoundResource[]>>();
  #unheard: Promise<string[]> | null = null;

  constructor(sources: WarningSources, period: Period) {
    this.#sources = sources;
    this.#period = period;
  }

  /** Whose resources an agent would have measured is not known, so each project may lack them. @throws HttpError 409 */
  async assertHeard(projectId: string | null): Promise<void> {
    const unheard = await this.#unheardAgents();
    if (unheard.length === 0) return;
    const [from, to] = [formatInstant(this.#period.from), formatInstant(this.#period.to)];
    const detail =
      `${nameOf(projectId)}: nothing was heard from ${from} to ${to} of ${agentsText(unheard)}. ` +
      'Wait for them, or close it with below=flag.';
    throw httpError('MTR_AGENT_NOT_HEARD', detail);
  }

  /** Those that were expected, and of whose time nothing came; in order. */
  unheard(): Promise<readonly string[]> {
    return this.#unheardAgents();
  }

  /** How many resources lists of the period have of each project, of any of the meters. */
  async listedProjects(meters: ReadonlySet<string>): Promise<ReadonlyMap<string, number>> {
    const lists = await this.#sources.inventory.lists(this.#period.asOf);
    const ids = new Map<string, Set<string>>();
    for (const list of listsWithin(lists, this.#period)) {
      if (!list.meters.some((meter) => meters.has(meter))) continue;
      for (const [resourceId, projectId] of list.resources ?? []) {
        if (projectId !== null) ids.set(projectId, (ids.get(projectId) ?? new Set()).add(resourceId));
      }
    }
    return new Map([...ids].map(([projectId, resources]) => [projectId, resources.size]));
  }

  /** In a fixed order. How many alone: which agents and resources they are is not for everybody who is billed. */
  async of(projectId: string | null, parts: readonly StatementPart[]): Promise<StatementWarning[]> {
    const warnings: StatementWarning[] = [];
    const unheard = await this.#unheardAgents();
    if (unheard.length > 0) warnings.push({ warning: 'agent-not-heard', meter: null, count: unheard.length });
    const meters = new Set(parts.map(({ definition }) => definition.meter));
    for (const meter of [...meters].sort(compareText)) {
      const found = (await this.#found(meter)).filter((one) => one.projectId === projectId);
      for (const warning of OF_RESOURCES) {
        const ids = found.filter(({ finding }) => finding === warning).map(({ resourceId }) => resourceId);
        if (ids.length > 0) warnings.push({ warning, meter, count: new Set(ids).size });
      }
    }
    return warnings;
  }

  #unheardAgents(): Promise<string[]> {
    this.#unheard ??= this.#readUnheard();
    return this.#unheard;
  }

  async #readUnheard(): Promise<string[]> {
    const lists = await this.#sources.inventory.lists(this.#period.asOf);
    return unheardAgents(this.#sources, lists, this.#period);
  }

  #found(meter: string): Promise<FoundResource[]> {
    let found = this.#findings.get(meter);
    if (found === undefined) this.#findings.set(meter, (found = this.#readFindings(meter)));
    return found;
  }

  async #readFindings(meter: string): Promise<FoundResource[]> {
    const { store, inventory } = this.#sources;
    const lists = await inventory.lists(this.#period.asOf);
    return findingsOf(store, listsWithin(lists, this.#period), this.#period, meter);
  }
}

export function agentsText(ids: readonly string[]): string {
  return `${ids.length} ${ids.length === 1 ? 'agent that was' : 'agents that were'} expected: ${ids.join(', ')}`;
}
