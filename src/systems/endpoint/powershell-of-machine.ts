import { PowerShell } from './powershell';

/**
 * The PowerShell that the worker of an endpoint host uses: the executable that `ONWARD_PWSH` names; without it
 * `powershell.exe` on Windows, `pwsh` on the PATH elsewhere.
 *
 * @param env of the worker.
 */
export function powershellOfMachine(env: NodeJS.ProcessEnv): PowerShell {
  const executable = powershellExecutable(env);
  return new PowerShell({ executable, env: withOwnModules(executable, withoutSecrets(env)) });
}

/**
 * Windows PowerShell that inherits the module path of PowerShell 7 finds none of its own modules (Get-FileHash is in one). Without one
 * it makes its own.
 */
export function withOwnModules(executable: string, env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  if (!/(^|[\\/])powershell(\.exe)?$/i.test(executable)) return env;
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^PSModulePath$/i.test(name)));
}

export const powershellExecutable = (env: NodeJS.ProcessEnv): string =>
  env['ONWARD_PWSH'] || (process.platform === 'win32' ? 'powershell.exe' : 'pwsh');

/**
 * The credentials of the worker are no business of PowerShell's, nor of setup.cmd, which inherits them and logs what it
 * likes: those of the Temporal server, and the keys of payload encryption.
 */
export function withoutSecrets(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const keys = [...(env['ONWARD_CODEC_KEYS'] ?? '').matchAll(/env:(\w+)/g)].map(([, name]) => name);
  return Object.fromEntries(
    Object.entries(env).filter(
      ([name]) => !/^(TEMPORAL|ONWARD_CODEC|OTEL_EXPORTER)_/i.test(name) && !keys.includes(name),
    ),
  );
}
