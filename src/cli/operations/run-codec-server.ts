import { once } from 'node:events';
import { SHORTEST_TOKEN } from '../../codec-server/access';
import { startCodecServer, type CodecServer, type CodecServerOptions } from '../../codec-server/server';
import { resolveSecret } from '../../inventory/secrets';
import { EncryptionCodec } from '../../temporal/codec';
import { InvalidCodecKeys, readEncryption, type Encryption } from '../../temporal/codec-keys';
import type { TemporalSettings } from '../../temporal/connection';
import { asCliError, CliError } from '../kit/cli-error';
import { printResult, type CliContext, type GlobalOptions } from '../kit/context';
import { settingsFor } from '../kit/temporal/connect';

export interface CodecServerCommandOptions extends GlobalOptions {
  host: string;
  port: number;
  uiOrigin?: string[];
  token?: string;
}

/** Where the UI is that `temporal server start-dev` and docker-compose.yml bring. */
const USUAL_UI = ['http://127.0.0.1:8233', 'http://localhost:8233'];

/** Serves until Ctrl-C. */
export async function runCodecServer(context: CliContext, options: CodecServerCommandOptions): Promise<void> {
  const { host, port, uiOrigin: uiOrigins = USUAL_UI } = options;
  const settings = settingsFor(options);
  const { namespace } = settings;
  const { encryption, token } = await secretsOf(settings, options.token ?? context.env['ONWARD_CODEC_TOKEN']);
  const { keys, plaintextUntil } = encryption;
  const interrupted = context.interrupted();
  const log = (line: string): void => void context.stderr.write(`${context.now().toISOString()} ${line}\n`);
  const codec = new EncryptionCodec(keys, { namespace, plaintextUntil });
  const server = await start({ codec, token, namespace, uiOrigins, host, port, log });
  try {
    const served = { url: server.url, namespace, keys: keys.map(({ id }) => id), uiOrigins };
    printResult(context, options, served, [
      `Codec server at ${server.url} for the namespace ${namespace}, with the keys ${served.keys.join(', ')}.`,
      `Temporal's UI may ask from ${uiOrigins.join(' and ')}; sign in there with ${server.url}/`,
    ]);
    if (!interrupted.aborted) await once(interrupted, 'abort');
  } finally {
    await server.close();
  }
}

/** Keys and token, or one error with everything that is wrong with either. */
async function secretsOf(
  settings: TemporalSettings,
  tokenReference: string | undefined,
): Promise<{ encryption: Encryption; token: string }> {
  const problems: string[] = [];
  const encryption = await encryptionOf(settings, problems);
  const token = await tokenOf(tokenReference, problems);
  if (encryption === undefined || token === undefined) {
    throw new CliError('usage', 'The codec server cannot start:', { problems });
  }
  return { encryption, token };
}

async function encryptionOf(settings: TemporalSettings, problems: string[]): Promise<Encryption | undefined> {
  if (settings.codecKeys === undefined || settings.codecKeys === '') {
    problems.push('ONWARD_CODEC_KEYS is not set; it takes the keys of the workers, id=env:NAME,id=file:/path');
    return undefined;
  }
  try {
    return await readEncryption(settings);
  } catch (error) {
    if (!(error instanceof InvalidCodecKeys)) throw error;
    problems.push(...error.problems);
    return undefined;
  }
}

async function tokenOf(reference: string | undefined, problems: string[]): Promise<string | undefined> {
  if (reference === undefined || reference === '') {
    problems.push('there is no token: give --token or ONWARD_CODEC_TOKEN, as env:NAME or file:/path');
    return undefined;
  }
  try {
    const token = await resolveSecret(reference);
    if (/^\S+$/.test(token) && token.length >= SHORTEST_TOKEN) return token;
    problems.push(
      `the token needs ${SHORTEST_TOKEN} characters or more and no spaces, as openssl rand -hex 32 makes it`,
    );
  } catch (error) {
    problems.push(`the token: ${asCliError(error).message}`);
  }
  return undefined;
}

async function start(options: CodecServerOptions): Promise<CodecServer> {
  try {
    return await startCodecServer(options);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EADDRINUSE' && code !== 'EADDRNOTAVAIL' && code !== 'EACCES') throw error;
    throw new CliError('failure', `The codec server cannot listen on ${options.host}:${options.port} (${code}).`, {
      hint: 'End the program that has that port, or give another --port or --host.',
      cause: error,
    });
  }
}
