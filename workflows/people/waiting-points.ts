/** The gates and holds of one upgrade: what waits for people, and what becomes of their answers. */
import { condition, isCancellation } from '@temporalio/workflow';
import { isTakeable, type ChangedField } from '../../src/contract/entry';
import type { Gate, Hold, HoldAction } from '../../src/contract/status';
import { listed } from '../kit/listed';
import type { Verdict } from '../kit/messages';
import { now } from '../kit/now';
import { problemOf } from '../kit/problem';
import type { PeopleEvent } from './events';
import type { GateAnswer, GateMessage, GateRequest } from './gate';

interface OpenGate {
  readonly key: number;
  readonly gate: Gate;
  answer?: GateAnswer;
}
interface OpenHold {
  readonly key: number;
  readonly hold: Hold;
  /** Fields of the entry that nobody has taken yet. */
  readonly changed: Map<string, string>;
  readonly take: (field: ChangedField) => void;
  action?: HoldAction;
}

export class WaitingPoints {
  private readonly gates: OpenGate[] = [];
  private readonly holds: OpenHold[] = [];
  private keys = 0;

  constructor(private readonly record: { apply(event: PeopleEvent): void }) {}

  /** Opens a gate and waits until an answer stands its verification. */
  async ask(step: string, request: GateRequest): Promise<GateAnswer> {
    const open: OpenGate = { key: this.keys++, gate: gateOf(step, request) };
    const { key } = open;
    this.gates.push(open);
    this.record.apply({ type: 'gateOpened', key, gate: open.gate });
    let by: string | undefined;
    try {
      for (;;) {
        await condition(() => open.answer !== undefined);
        const { answer } = open;
        if (!answer) continue;
        const problem = await problemWith(request, answer);
        if (problem === undefined) {
          by = answer.by;
          return answer;
        }
        delete open.answer;
        this.record.apply({ type: 'gateRefused', key, by: answer.by, problem });
      }
    } finally {
      this.gates.splice(this.gates.indexOf(open), 1);
      this.record.apply({ type: 'gateClosed', key, ...(by === undefined ? {} : { by }) });
    }
  }

  /**
   * Shows a failed step and waits for an operator's decision.
   *
   * @param entry what may be taken of it; once all of it is, that is the decision to retry.
   */
  async hold(
    step: string,
    problem: string,
    actions: HoldAction[],
    entry?: { changed: ChangedField[]; take: (field: ChangedField) => void },
  ): Promise<HoldAction> {
    const open: OpenHold = {
      key: this.keys++,
      hold: { step, since: now(), problem, actions, ...(entry ? { changed: entry.changed } : {}) },
      changed: new Map(entry?.changed.map(({ field, digest }) => [field, digest])),
      take: entry?.take ?? (() => undefined),
    };
    this.holds.push(open);
    this.record.apply({ type: 'holdOpened', key: open.key, hold: open.hold });
    try {
      await condition(() => open.action !== undefined);
    } finally {
      this.holds.splice(this.holds.indexOf(open), 1);
      this.record.apply({ type: 'holdClosed', key: open.key });
    }
    return open.action as HoldAction;
  }

  /** @param answer without `item` where the step has one open gate for this message. */
  answer(
    message: GateMessage,
    { step, item, ...answer }: Omit<GateAnswer, 'at'> & { step: string; item?: string | undefined },
  ): Verdict {
    const gates = this.gates.filter(({ gate }) => gate.answer.name === message && gate.step === step);
    if (gates.length === 0)
      return { refused: `Nothing is asked about step ${step} now. Open gates: ${namesOf(this.gates) || 'none'}.` };
    const open = item === undefined && gates.length === 1 ? gates[0] : gates.find(({ gate }) => gate.item === item);
    if (open) return this.take(open, answer);
    return {
      refused:
        item === undefined
          ? `The step ${step} has several open gates; say which item: ${namesOf(gates)}.`
          : `The step ${step} has no open gate "${item}". Open: ${namesOf(gates)}.`,
    };
  }

  /** The consent of an application instance, by id or by name, whichever step asks for it. */
  answerConsent(instance: string, by: string): Verdict {
    const gates = this.gates.filter(({ gate }) => gate.answer.name === 'consentCompleted');
    const [only, ...others] = gates.filter(({ gate }) => gate.item === instance || gate.alias === instance);
    if (only && others.length === 0) return this.take(only, { by, evidence: '' });
    return {
      refused: only
        ? `Several instances are called "${instance}"; give the id: ${namesOf([only, ...others])}.`
        : gates.length > 0
          ? `No consent is waited for from instance "${instance}". Waited for: ${namesOf(gates)}.`
          : 'No consent is waited for now.',
    };
  }

  /** The one gate that waits for an approval. */
  approve(by: string, reason: string): Verdict {
    const open = this.gates.find(({ gate }) => gate.answer.name === 'approveCrossing');
    if (open) return this.take(open, { by, evidence: reason });
    return { refused: `Nothing is asked about the crossing now. Open gates: ${namesOf(this.gates) || 'none'}.` };
  }

  /** @param impossible says why an action that the hold does not offer is refused. */
  resolve(step: string, action: HoldAction, by: string, impossible: () => string): Verdict {
    const open = this.holds.find(({ hold, action: taken }) => hold.step === step && taken === undefined);
    if (!open) {
      const held = this.holds.map(({ hold }) => hold.step).join(', ');
      return { refused: `Step ${step} does not hold. Held: ${held || 'none'}.` };
    }
    const { actions } = open.hold;
    if (!actions.includes(action))
      return { refused: `${impossible()} Possible: ${actions.join(', ')}.`, subject: step };
    open.action = action;
    return { accepted: `${by} decided: ${action}.`, subject: step };
  }

  /** What a field of the entry is now, for every hold that waits for it. */
  takeEntry({ field, digest, by }: ChangedField & { by: string }): Verdict {
    const waiting = this.holds.filter(({ changed, action }) => changed.has(field) && action === undefined);
    const [first] = waiting;
    if (!first) {
      const fields = this.holds.flatMap(({ changed }) => [...changed.keys()]);
      return {
        refused: `Nothing waits for ${field} of the entry to be taken. Waited for: ${listed(fields) || 'none'}.`,
      };
    }
    if (!isTakeable(field))
      return {
        refused: `${field} stays what it was when the upgrade began: put it back in the inventory, then retry.`,
        subject: field,
      };
    const seen = waiting.filter(({ changed }) => changed.get(field) === digest);
    if (seen.length === 0)
      return {
        refused: `${field} is ${first.changed.get(field)} now, and not ${digest}: look at it again before you take it.`,
        subject: field,
      };
    for (const open of seen) {
      open.take({ field, digest });
      open.changed.delete(field);
      this.record.apply({ type: 'fieldTaken', key: open.key, field });
      if (open.changed.size === 0) open.action = 'retry';
    }
    return { accepted: `${by} takes what ${field} is now: ${digest}.`, subject: field };
  }

  private take(open: OpenGate, answer: Omit<GateAnswer, 'at'>): Verdict {
    const subject = open.gate.id;
    if (open.answer)
      return { refused: `${open.answer.by} has answered already; the answer is being verified.`, subject };
    open.answer = { ...answer, at: now() };
    this.record.apply({ type: 'gateAnswered', key: open.key });
    return { accepted: `Answer of ${answer.by} to "${open.gate.title}" is recorded and being verified.`, subject };
  }
}

async function problemWith(request: GateRequest, answer: GateAnswer): Promise<string | undefined> {
  try {
    return await request.verify?.(answer);
  } catch (error) {
    if (isCancellation(error)) throw error;
    return `It could not be verified: ${problemOf(error)}`;
  }
}

function gateOf(step: string, request: GateRequest): Gate {
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

function payloadOf(name: GateMessage, step: string, item: string | undefined): Record<string, string> {
  switch (name) {
    case 'consentCompleted':
      return { instance: item ?? '<instance>', by: '<who>' };
    case 'approveCrossing':
      return { by: '<who>', reason: '<why>' };
    case 'decideStep':
      return { step, action: '<run | decline>', by: '<who>', reason: '<why>' };
    case 'confirmStep':
      return { step, ...(item === undefined ? {} : { item }), by: '<who>', evidence: '<what shows it>' };
  }
}

const namesOf = (gates: OpenGate[]): string => listed(gates.map(({ gate }) => gate.item ?? gate.step));
