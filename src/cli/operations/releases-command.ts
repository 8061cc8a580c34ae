import { InvalidArgumentError, type Command } from 'commander';
import { parseVersion, withoutRelease } from '../../contract/versions';
import type { Catalogue } from '../../../workflows/engine/catalogue';
import { globalsOf } from '../kit/arguments';
import { CliError } from '../kit/cli-error';
import { printResult, type CliContext, type GlobalOptions } from '../kit/context';
import { asText } from '../kit/documents/document';
import { chainDocument, chainsFrom, releasesDocument, toldReleases } from './releases-document';

export interface ReleasesContext extends CliContext {
  /** Loads the workflows' code, which hardly any other command needs. */
  catalogue(): Promise<Catalogue>;
}

interface ReleasesOptions extends GlobalOptions {
  /** Without the release number of the package. */
  from?: string;
  to?: string;
}

export function addReleases(program: Command, context: ReleasesContext): void {
  program
    .command('releases')
    .description('list the releases that Onward knows: what each can follow and requires, and the steps of its paths')
    .option('--to <release>', 'only this release')
    .option('--from <version>', 'the upgrades that lead on from this version, one after another', version)
    .addHelpText(
      'after',
      `
With --from and --to it prints the chain of upgrades from that version to that release. Nobody is called: what a provider runs
is seen by its upgrade.`,
    )
    .action(async (_options: object, command: Command) => {
      const options: ReleasesOptions = { ...globalsOf(command), ...command.opts<ReleasesOptions>() };
      list(context, options, await context.catalogue());
    });
}

function version(text: string): string {
  const given = withoutRelease(text);
  if (!parseVersion(given)) throw new InvalidArgumentError('Give a version of the application: numbers with dots.');
  return given;
}

/** @throws CliError `notFound` where there is no such release, or none that the version leads to. */
function list(context: ReleasesContext, options: ReleasesOptions, catalogue: Catalogue): void {
  const { from, to } = options;
  const { versions } = catalogue;
  if (to !== undefined && !versions.includes(to))
    throw new CliError('notFound', `There is no release ${to}.`, { hint: `Onward knows ${versions.join(', ')}.` });
  const releases = toldReleases(catalogue).filter(({ version: each }) => to === undefined || each === to);
  if (from === undefined) {
    printResult(context, options, { releases }, [asText(releasesDocument(releases)).trimEnd()]);
    return;
  }
  const chains = chainsFrom(catalogue, from, to);
  if (chains.length === 0)
    throw new CliError('notFound', `No upgrades lead from ${from} to ${to ?? 'a release that Onward knows'}.`, {
      hint: releases.map(({ version: each, follows }) => `${each} can follow ${follows.join(' and ')}.`).join(' '),
    });
  printResult(context, options, { chains }, [asText(chainDocument(from, chains)).trimEnd()]);
}
