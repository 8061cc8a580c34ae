/**
 * Histories of real runs, `test/histories/<version of Onward>/<where from, or fleet>/<state>.json.gz`: gzip of the JSON that
 * `temporal workflow show --output json` prints. They are what no change of workflow code may break.
 */
import { mkdir, readFile, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { gunzipSync, gzipSync } from 'node:zlib';
import { historyFromJSON, historyToJSON, type History } from '@temporalio/common/lib/proto-utils';
import { replay, type ReplayOptions } from '../../src/worker/replay';

export const HISTORIES = path.join(__dirname, '..', 'histories');
const EXTENSION = '.json.gz';

export interface RecordedHistory {
  /** `1.0.0/18.3/gate-drainTasks-tasks` */
  name: string;
  /** The id that the workflow ran under: workflow code looks at it. */
  workflowId: string;
  workflowType: string;
  history: History;
}

export async function recordedHistories(): Promise<RecordedHistory[]> {
  const files = (await readdir(HISTORIES, { recursive: true })).filter((file) => file.endsWith(EXTENSION)).sort();
  return await Promise.all(
    files.map(async (file) => {
      const history = historyFromJSON(JSON.parse(gunzipSync(await readFile(path.join(HISTORIES, file))).toString()));
      const { workflowId, workflowType } = history.events?.[0]?.workflowExecutionStartedEventAttributes ?? {};
      if (!workflowId || !workflowType?.name) throw new Error(`${file} does not begin with the start of a workflow`);
      const name = file.slice(0, -EXTENSION.length).split(path.sep).join('/');
      return { name, workflowId, workflowType: workflowType.name, history };
    }),
  );
}

/** Where each history and the code part, by the history's name; undefined where they do not. */
export async function problemsOfReplay(
  histories: readonly RecordedHistory[],
  options: ReplayOptions = {},
): Promise<Map<string, string | undefined>> {
  const problems: (string | undefined)[] = [];
  for await (const { problem } of replay([...histories], options)) problems.push(problem);
  return new Map(histories.map(({ name }, index) => [name, problems[index]]));
}

/** @param name as of {@link RecordedHistory.name}. @returns the size of the file in bytes. */
export async function saveHistory(name: string, history: History): Promise<number> {
  const file = path.join(HISTORIES, `${name}${EXTENSION}`);
  const bytes = gzipSync(JSON.stringify(withoutMachine(JSON.parse(historyToJSON(history)))), { level: 9 });
  await mkdir(path.dirname(file), { recursive: true });
  await writeFile(file, bytes);
  return bytes.length;
}

/** Names of the machine, and stack traces with its folders: no decision rests on them, and they differ each time. */
function withoutMachine(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutMachine);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, inner]) => {
      if (name === 'stackTrace') return [];
      if (name === 'identity') return [[name, 'rehearsal']];
      return [[name, withoutMachine(inner)]];
    }),
  );
}
