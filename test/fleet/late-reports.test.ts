import type { MemberReport } from '../../src/contract/fleet';
import { newWave, reportOf, takeIn, takeInEnd } from '../../workflows/fleet/wave-state';

const END = '2026-11-03T10:00:00.000Z';
const report = (changes: Partial<MemberReport>): MemberReport => ({
  provider: 'contoso',
  state: 'running',
  parked: 0,
  ready: false,
  ...changes,
});

function ended() {
  const wave = newWave({
    fleet: 'autumn',
    wave: 1,
    part: 1,
    startedBy: 'ana',
    parkAfter: 60,
    providers: [{ provider: 'contoso', from: '18.3', to: '18.4.1' }],
  });
  const [member] = wave.members;
  if (member === undefined) throw new Error('The wave has nobody.');
  member.state = 'running';
  takeInEnd(member, 'COMPLETED', END);
  return wave;
}

test('what an upgrade said before it was found to have completed does not count it as failed when it is heard late', () => {
  const wave = ended();
  takeIn(wave, report({ state: 'waiting' }));
  expect(reportOf(wave).counts).toMatchObject({ completed: 1, failed: 0 });
});

test('what it says of its end counts, however late it is heard', () => {
  const wave = ended();
  takeIn(wave, report({ state: 'completed', endedAt: END, stepSeconds: { preflight: 3 } }));
  expect(wave.members).toMatchObject([{ state: 'completed', stepSeconds: { preflight: 3 } }]);
});
