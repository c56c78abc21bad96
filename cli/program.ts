import { Command } from 'commander';
import { addAgents } from './commands/agents.ts';
import { addChanges } from './commands/changes.ts';
import { addConfigCommands } from './commands/config.ts';
import { addConflictCommands } from './commands/conflict.ts';
import { addCoverage } from './commands/coverage.ts';
import { addDataCommands } from './commands/data.ts';
import { addDefinitions } from './commands/definitions.ts';
import { addEvidence } from './commands/evidence.ts';
import { addExport } from './commands/export.ts';
import { addFinality } from './commands/finality.ts';
import { addInventory } from './commands/inventory.ts';
import { addKeyCommands } from './commands/key.ts';
import { addPluginCommands } from './commands/plugins.ts';
import { addPoll } from './commands/poll.ts';
import { addQuarantineCommands } from './commands/quarantine.ts';
import { addRun } from './commands/run.ts';
import { addSendSample } from './commands/send-sample.ts';
import { addStatementCommands } from './commands/statement.ts';
import { addTokenCommands } from './commands/token.ts';
import { addUp } from './commands/up.ts';
import { addUsage } from './commands/usage.ts';
import { addVerify } from './commands/verify.ts';
import { addVoidCommands } from './commands/void.ts';
import { VERSION } from './version.ts';

/** The `nephometer` command with all that it can do. */
export function createProgram(): Command {
  const program = new Command('nephometer')
    .description('The meter that clouds are billed by.')
    .version(VERSION)
    .showHelpAfterError('(see --help)')
    .enablePositionalOptions();
  for (const add of COMMANDS) add(program);
  return program;
}

const COMMANDS = [
  addUp,
  addRun,
  addPoll,
  addConfigCommands,
  addPluginCommands,
  addTokenCommands,
  addDataCommands,
  addUsage,
  addDefinitions,
  addChanges,
  addEvidence,
  addCoverage,
  addFinality,
  addInventory,
  addVoidCommands,
  addStatementCommands,
  addVerify,
  addExport,
  addSendSample,
  addQuarantineCommands,
  addConflictCommands,
  addAgents,
  addKeyCommands,
];
