import { CliError } from '../../kit/cli-error';
import type { Asked } from './seen';

/** So many workflows are asked at once: each question may make a worker replay one. */
const AT_ONCE = 5;
/** No question begins later than so in a look: where workers are gone, each waits for its deadline. */
const ASKING_MS = 10_000;
/** Details of a workflow of which nothing new is known are asked again after so long. */
const STALE_MS = 5 * 60_000;

/** What earlier looks have learned of one run of a workflow. */
export interface Known {
  askedAt: number;
  told?: { news: string; at: number; status: unknown };
}

export interface Question<Status> {
  runId: string;
  name: string;
  /** What the server tells by itself: where it is another than before, what was told is old. */
  news: string;
  tell: () => Promise<Status>;
}

/**
 * The questions of one look that only workers answer. Whoever was asked longest ago comes first, so that no workflow that cannot
 * answer keeps the others from being asked.
 */
export class Round {
  /** For the next round. */
  readonly known = new Map<string, Known>();
  private readonly turns: { askedAt: number; take: () => Promise<void> }[] = [];

  constructor(
    private readonly before: ReadonlyMap<string, Known>,
    private readonly now: () => Date,
  ) {}

  /** @returns what was told before; {@link ask} brings it up to date. */
  add<Status>({ runId, name, news, tell }: Question<Status>): Asked<Status> {
    const known = this.before.get(runId) ?? { askedAt: 0 };
    const { askedAt, told } = known;
    this.known.set(runId, known);
    const isFresh = told?.news === news && this.time() - told.at < STALE_MS;
    const asked: Asked<Status> = { runId, name, details: told?.status as Status | undefined, silent: !isFresh };
    const take = async (): Promise<void> => {
      const at = this.time();
      this.known.set(runId, { ...known, askedAt: at });
      const status = await tell();
      this.known.set(runId, { askedAt: at, told: { news, at, status } });
      asked.details = status;
      asked.silent = false;
    };
    if (!isFresh) this.turns.push({ askedAt, take });
    return asked;
  }

  /**
   * @returns why some did not answer.
   * @throws CliError when the server does not answer.
   */
  async ask(): Promise<string[]> {
    const until = this.time() + ASKING_MS;
    const waiting = this.turns.sort((a, b) => a.askedAt - b.askedAt);
    const problems: string[] = [];
    const oneAfterTheOther = async (): Promise<void> => {
      while (this.time() < until) {
        const turn = waiting.shift();
        if (turn === undefined) return;
        const problem = await turn.take().then(() => undefined, reasonOf);
        if (problem !== undefined) problems.push(problem);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, oneAfterTheOther));
    return problems;
  }

  private time(): number {
    return this.now().getTime();
  }
}

/** Undefined where the workflow has ended meanwhile. */
function reasonOf(error: unknown): string | undefined {
  if (!(error instanceof CliError) || error.kind === 'unreachable') throw error;
  return error.kind === 'notFound' ? undefined : error.message;
}
