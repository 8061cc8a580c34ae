/**
 * Where an upgrade and people meet: gates and holds that wait, and the answers to them.
 *
 * Every answer is judged by one function, whether it came as a signal or as an update. A bad answer changes nothing,
 * never fails the workflow, and stays in the audit trail as refused, with the reason.
 */
import { condition, isCancellation } from '@temporalio/workflow';
import { FAILURE } from '../../src/contract/activities';
import { messages, type Messages } from '../../src/contract/messages';
import type { Gate, Hold, StepName } from '../../src/contract/status';
import type { GateAnswer, GateRequest } from './gate';
import type { NextCall, Obstacle } from './obstacle';
import { listen, type MessageOf, type Verdict } from './listen';
import { problemOf } from './problem';
import { now, type UpgradeRecord } from './upgrade-record';

export type HoldAction = Hold['actions'][number];

interface OpenGate {
  readonly shown: Gate;
  answer?: GateAnswer;
}
interface OpenHold {
  readonly shown: Hold;
  action?: HoldAction;
}

export class Desk {
  private readonly gates: OpenGate[] = [];
  private readonly holds: OpenHold[] = [];
  private onAbort: ((by: string, reason: string) => void) | undefined;
  /** Why it takes no more answers. */
  private closed: string | undefined;
  private readonly obstacles: Obstacle[] = [];

  constructor(private readonly record: UpgradeRecord) {}

  /** Registers the handlers of all messages. Call before the first await of the workflow. */
  listen(): void {
    listen(
      messages,
      (message) => this.judge(message),
      (entry) => {
        this.record.write(entry);
        this.record.show();
      },
      () => this.record.audit,
    );
  }

  /** What an accepted `abort` does; nothing accepts it while there is no such thing. */
  abortsBy(onAbort: ((by: string, reason: string) => void) | undefined): void {
    this.onAbort = onAbort;
  }

  /** From here on every answer is refused, and this is why. */
  closes(why: string): void {
    this.closed = why;
  }

  /** From here on this stands between the upgrade and its next call, beside a pause. */
  heeds(obstacle: Obstacle): void {
    this.obstacles.push(obstacle);
  }

  /** Opens a gate and waits until an answer stands its verification. */
  async ask(step: StepName, request: GateRequest): Promise<GateAnswer> {
    const gate: OpenGate = { shown: shownGate(step, request) };
    this.gates.push(gate);
    this.record.write({
      by: 'upgrade',
      what: 'gate',
      verdict: 'done',
      subject: gate.shown.id,
      detail: `opened: ${request.title}`,
    });
    this.showWaiting(step);
    try {
      for (;;) {
        await condition(() => gate.answer !== undefined);
        const answer = gate.answer;
        if (!answer) continue;
        const problem = await verdictOf(request, answer);
        if (problem === undefined) {
          this.record.write({ by: answer.by, what: 'gate', verdict: 'done', subject: gate.shown.id, detail: 'passed' });
          return answer;
        }
        delete gate.answer;
        gate.shown.lastProblem = problem;
        this.record.write({
          by: answer.by,
          what: 'gate',
          verdict: 'refused',
          subject: gate.shown.id,
          detail: `Not accepted: ${problem}`,
        });
        this.record.show();
      }
    } finally {
      this.gates.splice(this.gates.indexOf(gate), 1);
      this.showWaiting(step);
    }
  }

  /** Shows a failed step and waits for an operator's decision. */
  async hold(step: StepName, problem: string, actions: HoldAction[]): Promise<HoldAction> {
    const hold: OpenHold = { shown: { step, since: now(), problem, actions } };
    this.holds.push(hold);
    this.record.write({ by: 'upgrade', what: 'hold', verdict: 'done', subject: step, detail: problem });
    this.showWaiting(step);
    try {
      await condition(() => hold.action !== undefined);
    } finally {
      this.holds.splice(this.holds.indexOf(hold), 1);
      this.showWaiting(step);
    }
    const action = hold.action as HoldAction;
    if (action !== 'rollback') while (await this.pass('change'));
    return action;
  }

  /** Returns at once unless a pause or an obstacle stands against the next call, else when nothing does any more. */
  async checkpoint(next: NextCall = 'change'): Promise<void> {
    do await this.pauses();
    while (await this.pass(next));
  }

  private async pauses(): Promise<void> {
    if (!this.record.status.paused) return;
    this.record.rests('paused');
    try {
      await condition(() => !this.record.status.paused);
    } finally {
      this.record.rests(undefined);
    }
  }

  /** Whether any of the obstacles was in the way: while one was waited for, another may have come up. */
  private async pass(next: NextCall): Promise<boolean> {
    let waited = false;
    for (const obstacle of this.obstacles) waited = (await obstacle.pass(next)) || waited;
    return waited;
  }

  private showWaiting(step: StepName): void {
    const { status } = this.record;
    status.gates = this.gates.map(({ shown }) => shown);
    status.holds = this.holds.map(({ shown }) => shown);
    const held = status.holds.some((hold) => hold.step === step);
    const waits = status.gates.some((gate) => gate.step === step);
    this.record.moveStep(step, held ? 'held' : waits ? 'waiting' : 'running');
  }

  private judge(message: MessageOf<typeof messages>): Verdict {
    if (this.closed !== undefined) return { refused: `The upgrade takes no more answers: ${this.closed}.` };
    switch (message.name) {
      case 'consentCompleted':
        return this.answerConsent(message.payload);
      case 'confirmStep':
        return this.answerGate(
          this.gates.filter(({ shown }) => shown.answer.name === 'confirmStep' && shown.step === message.payload.step),
          message.payload.item,
          { by: message.payload.by, evidence: message.payload.evidence },
          `step ${message.payload.step}`,
        );
      case 'approveCrossing':
        return this.approve(message.payload);
      case 'resolveHold':
        return this.resolve(message.payload);
      case 'pause':
        return this.pause(message.payload);
      case 'resume':
        return this.resume(message.payload);
      case 'abort':
        return this.abort(message.payload);
      case 'overrideWindow':
        return this.overrideWindow(message.payload);
    }
  }

  private answerConsent({ instance, by }: Messages['consentCompleted']): Verdict {
    const gates = this.gates.filter(({ shown }) => shown.answer.name === 'consentCompleted');
    const named = gates.filter(({ shown }) => shown.item === instance || shown.alias === instance);
    if (named.length === 1) return this.answerGate(named, undefined, { by, evidence: '' }, `instance ${instance}`);
    return {
      refused:
        named.length > 1
          ? `Several instances are called "${instance}"; give the id: ${items(named)}.`
          : gates.length > 0
            ? `No consent is waited for from instance "${instance}". Waited for: ${items(gates)}.`
            : 'No consent is waited for now.',
    };
  }

  private answerGate(
    gates: OpenGate[],
    item: string | undefined,
    answer: Omit<GateAnswer, 'at'>,
    what: string,
  ): Verdict {
    if (gates.length === 0)
      return { refused: `Nothing is asked about ${what} now. Open gates: ${items(this.gates) || 'none'}.` };
    const gate = item === undefined && gates.length === 1 ? gates[0] : gates.find(({ shown }) => shown.item === item);
    if (!gate)
      return {
        refused:
          item === undefined
            ? `The ${what} has several open gates; say which item: ${items(gates)}.`
            : `The ${what} has no open gate "${item}". Open: ${items(gates)}.`,
      };
    const subject = gate.shown.id;
    if (gate.answer)
      return { refused: `${gate.answer.by} has answered already; the answer is being verified.`, subject };
    gate.answer = { ...answer, at: now() };
    delete gate.shown.lastProblem;
    return { accepted: `Answer of ${answer.by} to "${gate.shown.title}" is recorded and being verified.`, subject };
  }

  private approve({ by, reason }: Messages['approveCrossing']): Verdict {
    const { startedBy } = this.record.status;
    if (startedBy !== undefined && samePerson(by, startedBy))
      return {
        refused: `${by} started this upgrade; someone else has to approve the crossing.`,
        subject: 'approveCrossing',
      };
    return this.answerGate(
      this.gates.filter(({ shown }) => shown.answer.name === 'approveCrossing'),
      undefined,
      { by, evidence: reason },
      'the crossing',
    );
  }

  private resolve({ step, action, by }: Messages['resolveHold']): Verdict {
    const hold = this.holds.find(({ shown, action: taken }) => shown.step === step && taken === undefined);
    if (!hold) {
      const held = this.holds.map(({ shown }) => shown.step).join(', ');
      return { refused: `Step ${step} does not hold. Held: ${held || 'none'}.` };
    }
    if (!hold.shown.actions.includes(action)) {
      const reason =
        action === 'rollback' && this.record.status.crossed
          ? `${FAILURE.pastPointOfNoReturn}: the package import has begun, there is only forward.`
          : `This step cannot be resolved by ${action}.`;
      return { refused: `${reason} Possible: ${hold.shown.actions.join(', ')}.`, subject: step };
    }
    hold.action = action;
    return { accepted: `${by} decided: ${action}.`, subject: step };
  }

  private pause({ by, reason }: Messages['pause']): Verdict {
    const { paused } = this.record.status;
    if (paused) return { refused: `Paused already, by ${paused.by} since ${paused.since}.` };
    this.record.status.paused = { by, reason, since: now() };
    return { accepted: 'The upgrade stops before its next changing call.' };
  }

  private resume({ by }: Messages['resume']): Verdict {
    if (!this.record.status.paused) return { refused: 'The upgrade is not paused.' };
    delete this.record.status.paused;
    return { accepted: `${by} lets the upgrade go on.` };
  }

  private abort({ by, reason }: Messages['abort']): Verdict {
    if (this.record.status.crossed)
      return {
        refused: `${FAILURE.pastPointOfNoReturn}: the package import has begun, nothing can be undone any more. Use pause to stop before the next step.`,
      };
    if (!this.onAbort) return { refused: 'Nothing has been changed yet; abort is possible once the first step runs.' };
    this.onAbort(by, reason);
    return { accepted: 'Everything done so far is being undone.' };
  }

  private overrideWindow({ by, reason }: Messages['overrideWindow']): Verdict {
    const { window, crossed } = this.record.status;
    if (!window) return { refused: 'This provider has no maintenance windows.' };
    if (crossed) return { refused: 'The crossing has begun: from there on no window is waited for.' };
    if (window.overridden) return { refused: `${window.overridden.by} has opened it already.` };
    window.overridden = { by, reason };
    return { accepted: `${by} opens the maintenance window for the rest of this upgrade.` };
  }
}

async function verdictOf(request: GateRequest, answer: GateAnswer): Promise<string | undefined> {
  try {
    return await request.verify?.(answer);
  } catch (error) {
    if (isCancellation(error)) throw error;
    return `It could not be verified: ${problemOf(error)}`;
  }
}

function shownGate(step: StepName, request: GateRequest): Gate {
  const { item, asked, title, instructions, evidence, answeredBy = 'confirmStep', alias } = request;
  return {
    id: item === undefined ? step : `${step}/${item}`,
    step,
    ...(item === undefined ? {} : { item }),
    asked,
    title,
    instructions,
    evidence,
    answer: { name: answeredBy, payload: payloadOf(answeredBy, step, item) },
    openedAt: now(),
    ...(alias === undefined ? {} : { alias }),
  };
}

function payloadOf(
  name: NonNullable<GateRequest['answeredBy']>,
  step: string,
  item: string | undefined,
): Record<string, string> {
  switch (name) {
    case 'consentCompleted':
      return { instance: item ?? '<instance>', by: '<who>' };
    case 'approveCrossing':
      return { by: '<who>', reason: '<why>' };
    case 'confirmStep':
      return { step, ...(item === undefined ? {} : { item }), by: '<who>', evidence: '<what shows it>' };
  }
}

const items = (gates: OpenGate[]): string => gates.map(({ shown }) => shown.item ?? shown.step).join(', ');

const samePerson = (a: string, b: string): boolean => legible(a) === legible(b);

/** A name as a reader sees it: neither width nor case nor what is invisible makes it another person's. */
const legible = (name: string): string =>
  name
    .normalize('NFKC')
    .replace(/\p{Default_Ignorable_Code_Point}|\p{Cc}|\p{Cf}/gu, '')
    .trim()
    .toLowerCase();
