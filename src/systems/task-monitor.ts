import type { OwnApplication } from '../contract/facts';

/** An Office 365 task that is not processed yet. */
export interface OpenTask {
  id: number;
  name: string;
  /** As the Tasks screen has it; `Failed` is what a person has to look at. */
  status: string;
}

/** What the Tasks screen of Operations shows. The vendor has no API that lists tasks (systems.md 1.6). */
export interface TaskMonitor {
  /**
   * Everything that is not processed and is of Office 365 (`isOffice365Task` of ./office365), without the *Periodic* tab (systems.md 1.6).
   * @param application what tells its tasks where their name does not; older builds do not give it.
   */
  openTasks(application?: OwnApplication): Promise<OpenTask[]>;
}
