/** What a process takes of the machine, asked of the operating system, so that it works for every program. */
import { execFile } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { promisify } from 'node:util';

export interface ProcessUsage {
  /** Resident memory, in MiB. */
  residentMiB: number;
  /** Processor time since its start, in seconds, that of its ended children included where the system says so. */
  cpuSeconds: number;
}

const KIB_PER_MIB = 1024;
/** Ticks per second in /proc: 100 on every Linux that Node.js runs on. */
const TICKS = 100;

/** @throws where there is neither /proc nor `ps`: on Windows. */
export async function processUsage(pid: number): Promise<ProcessUsage> {
  return process.platform === 'linux' ? await ofProc(pid) : await ofPs(pid);
}

async function ofProc(pid: number): Promise<ProcessUsage> {
  const [status, stat] = await Promise.all(['status', 'stat'].map((file) => readFile(`/proc/${pid}/${file}`, 'utf8')));
  const residentKiB = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status ?? '')?.[1]);
  // `pid (any name) state ...`: fields 14 to 17 are its own user and system time and those of its ended children.
  const fields = (stat ?? '').slice((stat ?? '').lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).map(Number);
  return { residentMiB: residentKiB / KIB_PER_MIB, cpuSeconds: ticks.reduce((sum, each) => sum + each, 0) / TICKS };
}

async function ofPs(pid: number): Promise<ProcessUsage> {
  const { stdout } = await promisify(execFile)('ps', ['-o', 'rss=,time=', '-p', String(pid)], { timeout: 10_000 });
  const [resident, time = ''] = stdout.trim().split(/\s+/);
  // `[[days-]hours:]minutes:seconds`
  const [clock = '', days = '0'] = time.split('-').reverse();
  const seconds = clock.split(':').reduce((sum, part) => sum * 60 + Number(part), 0) + Number(days) * 86_400;
  return { residentMiB: Number(resident) / KIB_PER_MIB, cpuSeconds: seconds };
}
