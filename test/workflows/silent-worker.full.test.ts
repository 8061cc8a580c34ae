/**
 * A worker that was killed, or has no hand free, while an upgrade asks it for what it knows by itself.
 *
 * @needs temporal
 */
import { Context } from '@temporalio/activity';
import { createMaintenanceActivities } from '../../activities/maintenance';
import { profile, stubActivities } from '../kit/stub-world/stub-activities';
import { WorkflowEnvironment, answerEverything, statusOf } from '../kit/stub-world/workflow-environment';

let environment: WorkflowEnvironment;
beforeAll(async () => {
  environment = await WorkflowEnvironment.start();
});
afterAll(async () => {
  await environment?.close();
});

const ALWAYS = {
  timeZone: 'UTC',
  windows: [{ days: ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'], from: '00:00', to: '00:00' }],
  afterCrossing: 1,
};
/** As an attempt whose worker was killed: nobody hears of it again. */
const silence = (): Promise<never> => Context.current().cancelled;

test('a look at the window that nobody answers is made again: nothing is undone for it', async () => {
  const provider = 'silent-look';
  const { activities, calls } = stubActivities(profile(provider, { maintenance: ALWAYS }));
  const { lookAtWindow } = createMaintenanceActivities();
  let silent = true;
  const handle = await environment.upgrade(
    {
      ...activities,
      ...{
        lookAtWindow: async (input: Parameters<typeof lookAtWindow>[0]) => {
          if (input.needed > 0 && silent) {
            silent = false;
            await silence();
          }
          return await lookAtWindow(input);
        },
      },
    },
    { provider },
  );
  const over = handle.result().catch(async () => (await statusOf(handle)).state);
  const [end] = await Promise.all([over, answerEverything(handle)]);
  expect({ end, undone: calls.filter((call) => call.startsWith('restoreSite')) }).toMatchObject({
    end: { to: '18.4.1' },
    undone: [],
  });
});

test('an entry that a killed worker was reading is read by the next one', async () => {
  const provider = 'silent-inventory';
  const { activities } = stubActivities(profile(provider));
  let silent = true;
  const handle = await environment.upgrade(
    {
      ...activities,
      loadProvider: async (input) => {
        if (silent) {
          silent = false;
          await silence();
        }
        return await activities.loadProvider(input);
      },
    },
    { provider },
  );
  const over = handle.result().catch(async () => (await statusOf(handle)).state);
  const [end] = await Promise.all([over, answerEverything(handle)]);
  expect(end).toMatchObject({ to: '18.4.1' });
});
