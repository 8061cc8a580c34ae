/**
 * The installation that an upgrade changes, by its ledger (src/contract/ledger): a workflow of its own, in which the upgrade
 * notes what it begins before it does. A Terminate or a Reset of the upgrade takes nothing of that back.
 */
import { ApplicationFailure } from '@temporalio/workflow';
import { FAILURE, type LedgerActivities, type Noted } from '../../src/contract/activities';
import type { Entrant, Ledger } from '../../src/contract/ledger';
import type { Activities } from '../kit/activities';
import type { PreflightFacts } from './preflight-facts';

/** Facts of the preflight, which every run reads for itself; what is switched off is noted by the step that does it. */
const READ_ANEW: string[] = ['operations', 'billing', 'hosts', 'machines'] satisfies (keyof PreflightFacts)[];

/** What the steps before the crossing gave. */
export const factsNoted = ({ facts }: Ledger): Record<string, unknown> =>
  Object.fromEntries(Object.entries(facts).filter(([name]) => !READ_ANEW.includes(name)));

/** With the hosts as they answer now, each as the machine that the operation has seen: a copy of it is none of the operation's. */
export function asNoted(known: PreflightFacts, { facts }: Ledger): PreflightFacts {
  const { machines = {} } = facts as Partial<PreflightFacts>;
  const hosts = known.hosts.map((host) => ({ ...host, identity: machines[host.host] ?? host.identity }));
  return { ...known, hosts, machines };
}

export class Installation {
  /**
   * @param isLost this run goes on with an operation whose ledger is lost: nothing tells what it has switched off.
   */
  constructor(
    private readonly activities: Activities['ledger'],
    private readonly entrant: Entrant,
    readonly isLost = false,
  ) {}

  /**
   * Takes hold of it, unless this operation has. Ask again at every moment that matters: a Reset repeats nothing that lies before it.
   *
   * @throws Refused, naming who holds it or what is left of another operation.
   */
  async enter(): Promise<Ledger> {
    const entered = await this.activities.enterInstallation('take hold of the installation', this.entrant);
    if (entered.ledger) return entered.ledger;
    throw ApplicationFailure.nonRetryable(entered.refused, FAILURE.refused);
  }

  /**
   * Before the step changes anything.
   *
   * @param facts that the steps before it gave, among others.
   * @returns what was to be switched on again, of each time that the step began in this operation before.
   */
  async begun(
    step: string,
    facts: object,
    off: { what: string; before: unknown } | undefined,
  ): Promise<readonly unknown[]> {
    const given = Object.fromEntries(
      Object.entries(facts).filter(([name]) => !READ_ANEW.includes(name) && !name.startsWith('off:')),
    );
    const { hosts = [], machines } = facts as Partial<PreflightFacts>;
    const seen = Object.fromEntries(hosts.map(({ host, identity }) => [host, identity]));
    const noted = { ...given, machines: { ...machines, ...seen } };
    const { before } = await this.note(`note that ${step} begins`, { type: 'begun', step, ...off, facts: noted });
    return before;
  }

  /** Before the request is begun. @returns the ids of the requests for this import that were noted before, the oldest first. */
  async importing(requestId: string): Promise<readonly string[]> {
    const { requests } = await this.note('note the request for the import', { type: 'importing', requestId });
    return requests;
  }

  /** What the step has switched off is on again, or what it has done is undone. */
  async settled(step: string): Promise<void> {
    await this.note(`note that nothing is left of ${step}`, { type: 'settled', step });
  }

  /** The operation is over. */
  async leave(notUndone: readonly string[]): Promise<void> {
    await this.note('note that the upgrade is over', { type: 'left', notUndone: [...notUndone] });
  }

  private async note(summary: string, note: Noted): ReturnType<LedgerActivities['noteInLedger']> {
    return await this.activities.noteInLedger(summary, { ...this.entrant, note });
  }
}
