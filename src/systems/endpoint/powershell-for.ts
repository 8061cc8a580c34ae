import path from 'node:path';
import { findExecutable } from './executable';
import { PowerShell } from './powershell';

/** Where the sandbox keeps what makes a PowerShell that of a simulated host. */
const SANDBOX = path.join(__dirname, '..', '..', 'sandbox', 'hosts');

/**
 * The PowerShell that the worker of an endpoint host uses, by its environment:
 *
 * - `ONWARD_PWSH`: the executable; without it `powershell.exe` on Windows, `pwsh` on the PATH elsewhere.
 * - `ONWARD_SANDBOX_HOST`: URL of a simulated host, `http://127.0.0.1:7080/_sim/hosts/<host>/`. The scripts then run
 *   against that host: in PowerShell with the sandbox's module, or in the sandbox's stand-in where there is none.
 */
export function powershellFor(env: NodeJS.ProcessEnv): PowerShell {
  const forScripts = withoutSecrets(env);
  const executable = env['ONWARD_PWSH'] || (process.platform === 'win32' ? 'powershell.exe' : 'pwsh');
  if (!env['ONWARD_SANDBOX_HOST']) return new PowerShell({ executable, env: forScripts });
  if (env['ONWARD_PWSH'] || findExecutable(executable, env) !== undefined) {
    return new PowerShell({ executable, env: forScripts, modules: [path.join(SANDBOX, 'windows.psm1')] });
  }
  return new PowerShell({ executable: STAND_IN, env: withThisNode(forScripts) });
}

export const STAND_IN = path.join(SANDBOX, 'powershell-stand-in.mjs');

/**
 * The credentials of the worker are no business of PowerShell's, nor of setup.cmd, which inherits them and logs what it
 * likes: those of the Temporal server, and the keys of payload encryption.
 */
function withoutSecrets(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const keys = [...(env['ONWARD_CODEC_KEYS'] ?? '').matchAll(/env:(\w+)/g)].map(([, name]) => name);
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => !/^(TEMPORAL|ONWARD_CODEC)_/i.test(name) && !keys.includes(name)),
  );
}

/** The stand-in is a script for the Node.js that runs this worker. */
function withThisNode(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return { ...env, PATH: [path.dirname(process.execPath), env['PATH'] ?? ''].join(path.delimiter) };
}
