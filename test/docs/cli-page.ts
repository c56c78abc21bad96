import { EXIT_CODES } from '@nephometer/core';
import { createProgram } from 'nephometer';
import { GENERATED_NOTE, markdownTable } from './page.ts';

type Command = ReturnType<typeof createProgram>;

/** Reference of the command, from its own help. */
export function cliPage(): string {
  const program = createProgram();
  const codes = Object.values(EXIT_CODES).map(({ code, meaning }) => [String(code), meaning]);
  return `${GENERATED_NOTE}

# The command \`nephometer\`

${leaves(program).map(commandText).join('\n')}
## Exit codes

${markdownTable(['code', 'meaning'], codes)}
`;
}

function leaves(command: Command): Command[] {
  return command.commands.length === 0 ? [command] : command.commands.flatMap((below) => leaves(below));
}

function commandText(command: Command): string {
  return `## ${pathOf(command)}\n\n${sentence(command.description())}\n\n\`\`\`text\n${help(command)}\n\`\`\`\n`;
}

/** The usage, arguments and options of the help, at a fixed width and without what this machine's environment holds. */
function help(command: Command): string {
  const text = command.configureHelp({ helpWidth: 100 }).helpInformation();
  return text
    .replace(`\n${command.description()}\n`, '')
    .replace(/\n{3,}/g, '\n\n')
    .trim();
}

function pathOf(command: Command): string {
  return command.parent === null ? command.name() : `${pathOf(command.parent)} ${command.name()}`;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}
