/** What people and programs send that changes nothing, and how it is refused. The upgrade waits for `approveCrossing`. */
import type { MessageName } from '../../src/contract/messages';

export interface BadAnswer {
  what: string;
  name: MessageName;
  payload: unknown;
  /** What the sender is told, and the audit trail keeps. */
  refused: RegExp;
  /** Under which name the audit trail keeps it. */
  by: string | RegExp;
}

/** Everything that a terminal, a Markdown page or a reader can be fooled by. */
export const HOSTILE =
  '\u001b]0;owned\u0007\u001b[2J\u009b31m \u202emoc.live\u202c \u200bhidden\u{e0041} שלום 🏴‍☠️ ' +
  '[click](https://evil.example) **bold** ~~struck~~ `code` <img src=x onerror=alert(1)> | cell | &lt;b&gt;\n# Title\n- [ ] item';

export const MEGABYTE = 'x'.repeat(1024 * 1024);
const withPrototype = (key: string): unknown => JSON.parse(`{"by":"bo","reason":"agreed","${key}":{"admin":true}}`);
const agreed = { by: 'bo', reason: 'agreed' };

export const BAD_ANSWERS: readonly BadAnswer[] = [
  {
    what: 'a consent before anybody asked for it',
    name: 'consentCompleted',
    payload: { instance: '1', by: 'petra' },
    refused: /No consent is waited for now/,
    by: 'petra',
  },
  {
    what: 'a step confirmed before its turn',
    name: 'confirmStep',
    payload: { step: 'updateCustomizations', by: 'olga', evidence: 'OPS-1' },
    refused: /Nothing is asked about step updateCustomizations now/,
    by: 'olga',
  },
  {
    what: 'a step that does not exist',
    name: 'confirmStep',
    payload: { step: '__proto__', item: 'constructor', by: 'olga', evidence: 'OPS-1' },
    refused: /Nothing is asked about step __proto__ now/,
    by: 'olga',
  },
  {
    what: 'a decision about a step that does not hold',
    name: 'resolveHold',
    payload: { step: 'importPackage', action: 'retry', by: 'olga', reason: 'again' },
    refused: /Step importPackage does not hold/,
    by: 'olga',
  },
  {
    what: 'a resume without a pause',
    name: 'resume',
    payload: { by: 'olga', reason: 'go on' },
    refused: /not paused/,
    by: 'olga',
  },
  ...['ana', ' ANA ', 'ａｎａ', 'a\u200bna', '\u202eana'].map((by): BadAnswer => ({
    what: `an approval by the one who started it, as ${JSON.stringify(by)}`,
    name: 'approveCrossing',
    payload: { by, reason: 'me again' },
    refused: /started this upgrade; someone else has to approve/,
    by: by.trim(),
  })),
  ...[null, 'yes', 7, [agreed], [], {}].map((payload): BadAnswer => ({
    what: `an approval that is ${JSON.stringify(payload)}`,
    name: 'approveCrossing',
    payload,
    refused: /approveCrossing was not understood/,
    by: 'unknown',
  })),
  ...['__proto__', 'constructor', 'toString'].map((key): BadAnswer => ({
    what: `an approval with a field called ${key}`,
    name: 'approveCrossing',
    payload: withPrototype(key),
    refused: /approveCrossing was not understood/,
    by: 'bo',
  })),
  {
    what: 'a name that is not a text',
    name: 'approveCrossing',
    payload: { by: { name: 'bo' }, reason: 'agreed' },
    refused: /by must be a text/,
    by: 'unknown',
  },
  {
    what: 'a megabyte of reasons',
    name: 'approveCrossing',
    payload: { by: 'bo', reason: MEGABYTE },
    refused: /reason is longer than 4000 characters/,
    by: 'bo',
  },
  {
    what: 'a megabyte of a name',
    name: 'approveCrossing',
    payload: { by: MEGABYTE, reason: 'agreed' },
    refused: /by is longer than 200 characters/,
    by: /^x{200}…$/,
  },
  {
    what: 'half a character, which no protocol can carry',
    name: 'consentCompleted',
    payload: { instance: 'CSP \ud83d', by: 'half \ud83d' },
    refused: /No consent is waited for now/,
    by: /^half/,
  },
  {
    what: 'a name that commands terminals, pages and readers',
    name: 'resume',
    payload: { by: HOSTILE.slice(0, 199), reason: HOSTILE },
    refused: /not paused/,
    by: HOSTILE.slice(0, 199).trim(),
  },
];
