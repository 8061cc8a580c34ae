import path from 'node:path';
import { expectShape } from '../../systems/answers';
import { findExecutable } from '../../systems/endpoint/executable';
import { PowerShell } from '../../systems/endpoint/powershell';
import { powershellExecutable, withoutSecrets } from '../../systems/endpoint/powershell-of-machine';
import { endpointSettings, type EndpointSettings } from '../../systems/endpoint/settings';
import { exchange, statusFailure, type HttpRequest } from '../../systems/http';
import { expectJson } from '../../systems/json-answer';

const HOSTS = path.join(__dirname, '..', 'hosts');

/** Does the work of the scripts where there is no PowerShell. */
export const STAND_IN = path.join(HOSTS, 'powershell-stand-in.mjs');

/**
 * For a worker of an endpoint host: the PowerShell of a simulated host. The scripts run against that host: in the machine's
 * PowerShell with the sandbox's module, or in the sandbox's stand-in where there is none.
 *
 * @param host URL of the host, `http://127.0.0.1:7080/_sim/hosts/<host>/`; see {@link urlOfHost}.
 * @param env of the worker.
 */
export function simulatedPowershell(host: string, env: NodeJS.ProcessEnv): PowerShell {
  const executable = powershellExecutable(env);
  const forScripts = { ...withoutSecrets(env), ONWARD_SANDBOX_HOST: host };
  if (env['ONWARD_PWSH'] || findExecutable(executable, env) !== undefined) {
    return new PowerShell({ executable, env: forScripts, modules: [path.join(HOSTS, 'windows.psm1')] });
  }
  return new PowerShell({ executable: STAND_IN, env: withThisNode(forScripts) });
}

/**
 * What the worker of a simulated host has for its configuration.
 *
 * @param host URL of the host, as above.
 */
export async function simulatedSettings(host: string): Promise<EndpointSettings> {
  const request: HttpRequest = {
    system: 'sandbox',
    call: 'GET endpoint',
    method: 'GET',
    url: new URL('endpoint', host).href,
    deadlineMs: 30_000,
  };
  const answer = await exchange(request);
  if (answer.status !== 200) throw statusFailure(request, answer.status);
  return expectShape(endpointSettings, expectJson(answer, request), request);
}

/** @param sandbox any URL of the sandbox's control API. */
export const urlOfHost = (sandbox: string, host: string): string => new URL(`/_sim/hosts/${host}/`, sandbox).href;

/** The stand-in is a script for the Node.js that runs this worker. */
function withThisNode(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, PATH: [path.dirname(process.execPath), env['PATH'] ?? ''].join(path.delimiter) };
}
