/** An Office 365 task that is not processed yet. */
export interface OpenTask {
  id: number;
  name: string;
  /** As the Tasks screen has it; `Failed` is what a person has to look at. */
  status: string;
}

/** What the Tasks screen of Operations shows. The vendor has no API that lists tasks (systems.md 1.6). */
export interface TaskMonitor {
  /** Everything under the filter `*office*` that is not processed, without the *Periodic* tab (systems.md 1.6). */
  openTasks(): Promise<OpenTask[]>;
}
