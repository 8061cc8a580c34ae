/** Watches what processes take of the machine while something runs. */
import { processUsage } from './process-usage';

const EVERY_MS = 1_000;

interface Watched {
  name: string;
  mostResidentMiB: number;
  /** Processor time since the watch began. */
  cpuSeconds: number;
}

export class UsageWatch {
  private readonly most = new Map<string, number>();
  private readonly timer: NodeJS.Timeout;
  private look = Promise.resolve();

  private constructor(
    private readonly pids: Record<string, number>,
    private readonly cpuBefore: Map<string, number>,
  ) {
    this.timer = setInterval(() => {
      this.look = this.look.then(() => this.takeALook());
    }, EVERY_MS);
  }

  /** @param pids by the names of the processes. */
  static async start(pids: Record<string, number>): Promise<UsageWatch> {
    const before = new Map<string, number>();
    for (const [name, pid] of Object.entries(pids)) before.set(name, (await processUsage(pid)).cpuSeconds);
    return new UsageWatch(pids, before);
  }

  /** Looks no more: whoever ends the processes before {@link end} says so first. */
  stop(): void {
    clearInterval(this.timer);
  }

  async end(): Promise<Watched[]> {
    this.stop();
    await this.look;
    await this.takeALook();
    return await Promise.all(
      Object.entries(this.pids).map(async ([name, pid]) => ({
        name,
        mostResidentMiB: this.most.get(name) ?? 0,
        cpuSeconds: (await processUsage(pid)).cpuSeconds - (this.cpuBefore.get(name) ?? 0),
      })),
    );
  }

  private async takeALook(): Promise<void> {
    for (const [name, pid] of Object.entries(this.pids)) {
      const { residentMiB } = await processUsage(pid).catch((cause: unknown) => {
        throw new Error(`The ${name}, process ${pid}, ended while it was measured.`, { cause });
      });
      this.most.set(name, Math.max(residentMiB, this.most.get(name) ?? 0));
    }
  }
}
