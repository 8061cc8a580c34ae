import { Command, CommanderError } from 'commander';
import type { ConsentContext } from './consent/consents';
import { addConsents } from './consent/consents-command';
import { addDemo } from './demo/demo-command';
import { addSandboxOperator } from './demo/sandbox-operator-command';
import { addFleet } from './fleet/fleet-command';
import type { FleetContext } from './fleet/fleets';
import { WHERE_HELP_IS } from './kit/arguments';
import { asCliError, CliError } from './kit/cli-error';
import { printError, type GlobalOptions } from './kit/context';
import { EXIT, EXIT_CODES_HELP, type ExitCode } from './kit/exit-codes';
import { addMessageCommands } from './kit/messages/message-commands';
import { onwardVersion } from './kit/version';
import { addCodecServer } from './operations/codec-server-command';
import { addDoctor } from './operations/doctor/doctor-command';
import { addExporter } from './operations/exporter/exporter-command';
import { addInventory } from './operations/inventory-command';
import { addReleases, type ReleasesContext } from './operations/releases-command';
import { addReplay } from './operations/replay-command';
import { addSandbox } from './operations/sandbox-command';
import { addService } from './operations/service/service-command';
import { addWorker } from './operations/worker-command';
import { addAudit } from './upgrade/audit-command';
import { addGates } from './upgrade/gates-command';
import { UPGRADE_MESSAGES } from './upgrade/messages';
import { addPlan, addPreflight } from './upgrade/preflight-command';
import { addReport } from './upgrade/report-command';
import { addFinish, addStart } from './upgrade/start-command';
import { addStatus } from './upgrade/status-command';
import type { UpgradeContext } from './upgrade/upgrades';

const CONNECTION_HELP = `
The Temporal server is found as by every Temporal tool: TEMPORAL_ADDRESS, TEMPORAL_NAMESPACE, TEMPORAL_API_KEY,
TEMPORAL_TLS_*, or a profile (TEMPORAL_PROFILE) in temporal.toml.`;

export type ProgramContext = UpgradeContext & FleetContext & ConsentContext & ReleasesContext;

/** Runs one command line, `argv` being what follows the program's name. Everything it says goes to the context's streams. */
export async function runCli(argv: string[], context: ProgramContext): Promise<ExitCode> {
  const program = createProgram(context);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return EXIT.ok;
  } catch (error) {
    if (error instanceof CommanderError && error.exitCode === 0) return EXIT.ok;
    const problem = error instanceof CommanderError ? usageError(error) : asCliError(error);
    // The command line may be what is wrong, so the option is looked for in it as it stands.
    const options: GlobalOptions = { json: argv.includes('--json') };
    printError(context, options, problem);
    return problem.exitCode;
  }
}

export function createProgram(context: ProgramContext): Command {
  const program = new Command('onward')
    .description('Durable upgrades of the Office 365 application of Odin Automation providers, release by release.')
    .version(onwardVersion())
    .option('--json', 'print one JSON document; errors too, on stderr')
    .option('--address <host:port>', 'Temporal server, instead of what the environment says')
    .option('--namespace <name>', 'Temporal namespace, instead of what the environment says')
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: (text) => context.stdout.write(text),
      // Help that is shown because something is wrong is replaced by one error.
      writeErr: () => undefined,
    })
    .showHelpAfterError(false)
    .addHelpText('after', EXIT_CODES_HELP)
    .addHelpText('after', CONNECTION_HELP)
    .exitOverride();
  addPreflight(program, context);
  addPlan(program, context);
  addStart(program, context);
  addFinish(program, context);
  addStatus(program, context);
  addGates(program, context);
  addMessageCommands(program, context, UPGRADE_MESSAGES, (options) => context.connectUpgrades(options));
  addConsents(program, context);
  addAudit(program, context);
  addReport(program, context);
  addFleet(program, context);
  addReleases(program, context);
  addInventory(program, context);
  addDoctor(program, context);
  addWorker(program, context);
  addService(program, context);
  addExporter(program, context);
  addReplay(program, context);
  addCodecServer(program, context);
  addSandbox(program, context);
  addSandboxOperator(program, context);
  addDemo(program, context);
  return program;
}

function usageError(error: CommanderError): CliError {
  // Without a command, commander would show its help as an error.
  const missing = error.code === 'commander.help' ? 'Name a command.' : error.message.replace(/^error: /, '');
  return new CliError('usage', missing, {
    hint: WHERE_HELP_IS,
    cause: error,
  });
}
