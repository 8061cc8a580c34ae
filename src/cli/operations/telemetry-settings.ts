/** What a worker is to tell of itself, as its options and its environment say. */
import type { LogFormat, TelemetrySettings } from '../../worker/telemetry';
import { tracesProblems, wantsTraces } from '../../worker/traces-settings';
import { CliError } from '../kit/cli-error';
import { isListeningAddress, LISTENING_ADDRESS } from './worker-command';

const LOG_FORMATS: readonly string[] = ['json', 'text'] satisfies LogFormat[];

/**
 * What the command line says, else the environment; an empty variable says nothing.
 *
 * @throws CliError with everything that is wrong.
 */
export function telemetryOf(
  env: NodeJS.ProcessEnv,
  onTerminal: boolean,
  options: Partial<Omit<TelemetrySettings, 'traces'>> = {},
): TelemetrySettings {
  const metrics = options.metrics ?? (env['ONWARD_METRICS'] || undefined);
  const log = options.log ?? (env['ONWARD_LOG'] || (onTerminal ? 'text' : 'json'));
  const traces = wantsTraces(env);
  const problems = [
    ...(metrics === undefined || isListeningAddress(metrics) ? [] : [`ONWARD_METRICS: ${LISTENING_ADDRESS}`]),
    ...(traces ? tracesProblems(env) : []),
    ...(isLogFormat(log) ? [] : [`ONWARD_LOG is neither ${LOG_FORMATS.join(' nor ')}`]),
  ];
  if (!isLogFormat(log) || problems.length > 0)
    throw new CliError('usage', 'Logs, metrics and traces cannot be as they are set:', { problems });
  return { metrics, log, traces };
}

const isLogFormat = (text: string): text is LogFormat => LOG_FORMATS.includes(text);
