import { InvalidArgumentError, type Command } from 'commander';
import { globalsOf, port } from '../kit/arguments';
import type { CliContext } from '../kit/context';
import type { CodecServerCommandOptions } from './run-codec-server';

export function addCodecServer(program: Command, context: CliContext): void {
  program
    .command('codec-server')
    .description("show Temporal's UI and CLI encrypted payloads in clear, until Ctrl-C")
    .option('--port <port>', 'port to listen on', port, 8888)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option(
      '--ui-origin <origin>',
      "origin of Temporal's UI (repeatable; default: http://127.0.0.1:8233 and http://localhost:8233)",
      origin,
    )
    .option('--token <reference>', 'what callers have to know, env:NAME or file:/path (default: ONWARD_CODEC_TOKEN)')
    .addHelpText(
      'after',
      `
The keys are those of ONWARD_CODEC_KEYS; the one namespace served is that of the environment or --namespace.

  temporal workflow show --workflow-id upgrade/<provider> \\
    --codec-endpoint http://127.0.0.1:8888 --codec-auth "Bearer <token>"

For the UI: start it with --ui-codec-endpoint http://127.0.0.1:8888, switch on "include cross-origin credentials" in its
codec server settings, and sign in at http://127.0.0.1:8888/ in the same browser.`,
    )
    .action(async (_options: CodecServerCommandOptions, command: Command) => {
      const options: CodecServerCommandOptions = {
        ...globalsOf(command),
        ...command.opts<CodecServerCommandOptions>(),
      };
      const { runCodecServer } = await import('./run-codec-server.js');
      await runCodecServer(context, options);
    });
}

function origin(text: string, before: string[] = []): string[] {
  if (!/^https?:/.test(text) || !URL.canParse(text) || new URL(text).origin !== text) {
    throw new InvalidArgumentError('Give scheme, host and port and nothing else, such as https://temporal.example.');
  }
  return [...before, text];
}
