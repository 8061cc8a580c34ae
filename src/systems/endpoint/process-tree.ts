/** Ends a process with everything that it has started. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** Ends the process and its descendants, forcibly; a tree that is gone already is fine. */
export async function endProcessTree(pid: number): Promise<void> {
  if (process.platform === 'win32') {
    // Exit code 128: there is no such process any more.
    await execute('taskkill', ['/PID', String(pid), '/T', '/F'], { timeout: 30_000 }).catch((error: unknown) => {
      if ((error as { code?: unknown }).code !== 128) throw error;
    });
    return;
  }
  // Each is stopped before its children are listed, so that none can start another one in between.
  const tree = [pid];
  for (const member of tree) {
    signal(member, 'SIGSTOP');
    tree.push(...(await childrenOf(member)));
  }
  for (const member of tree) signal(member, 'SIGKILL');
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

async function childrenOf(pid: number): Promise<number[]> {
  const processes = existsSync('/proc/self/stat') ? processesOfProc() : await processesOfPs();
  return processes.filter(({ parent }) => parent === pid).map((entry) => entry.pid);
}

interface ProcessEntry {
  pid: number;
  parent: number;
}

/** Linux: containers often have no `ps`. */
function processesOfProc(): ProcessEntry[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      try {
        const stat = readFileSync(`/proc/${name}/stat`, 'utf8');
        // `pid (any name) state parent ...`
        const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
        return [{ pid: Number(name), parent }];
      } catch {
        return []; // It ended while we looked.
      }
    });
}

async function processesOfPs(): Promise<ProcessEntry[]> {
  const { stdout } = await execute('ps', ['-A', '-o', 'pid=,ppid='], { timeout: 10_000 });
  return stdout.split('\n').flatMap((line) => {
    const [pid, parent] = line.trim().split(/\s+/).map(Number);
    return pid !== undefined && parent !== undefined ? [{ pid, parent }] : [];
  });
}
