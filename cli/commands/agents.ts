import { Option } from 'commander';
import type { Command } from 'commander';
import { AGENT_STATES } from '@nephometer/core';
import { ApiClient, given } from '../client.ts';
import type { ClientFlags } from '../client.ts';
import { asClient, print, withFormat } from '../command.ts';
import type { FormatFlag } from '../command.ts';
import { formatRows } from '../format.ts';

interface AgentRow {
  readonly agent_id: string;
  readonly state: string;
  readonly last_batch: {
    readonly recorded_at: string;
    readonly epoch: string | null;
    readonly seq: number | null;
  } | null;
  readonly lag: number | null;
  readonly clock_skew: number | null;
  readonly missing: number;
  readonly quarantined: number;
}

/** `agents`: who is heard, who is late, who is silent. */
export function addAgents(program: Command): void {
  withFormat(asClient(program.command('agents').description('agents as the ledger knows them: heard, late, silent')))
    .addOption(new Option('--state <state>', 'only agents in this state').choices([...AGENT_STATES]))
    .action(async (flags: ClientFlags & FormatFlag & { state?: string }) => {
      const query = given({ state: flags.state });
      const { agents } = await new ApiClient(flags).get<{ agents: AgentRow[] }>('/v1/agents', query);
      print(
        formatRows<AgentRow>(
          agents,
          [
            { title: 'agent', value: (row) => row.agent_id },
            { title: 'state', value: (row) => row.state },
            { title: 'last batch (UTC)', value: (row) => row.last_batch?.recorded_at },
            { title: 'epoch', value: (row) => row.last_batch?.epoch },
            { title: 'seq', value: (row) => row.last_batch?.seq, align: 'right' },
            { title: 'missing', value: (row) => row.missing, align: 'right' },
            { title: 'lag (s)', value: (row) => rounded(row.lag), align: 'right' },
            { title: 'clock (s)', value: (row) => rounded(row.clock_skew), align: 'right' },
            { title: 'refused', value: (row) => row.quarantined, align: 'right' },
          ],
          flags.format,
        ),
      );
    });
}

function rounded(seconds: number | null): string | null {
  return seconds === null ? null : seconds.toFixed(2);
}
