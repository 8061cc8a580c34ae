import type { RegisteredAdapters } from '../../systems/adapters';
import { connectionButton } from './connection-button';
import { taskScreen } from './task-screen';

/** For a worker of the control plane: what the entries mean that a sandbox writes (../inventory). */
export const SANDBOX_ADAPTERS: RegisteredAdapters = {
  taskMonitor: { sandbox: taskScreen },
  connectionTest: { sandbox: connectionButton },
};

export { simulatedPowershell, simulatedSettings, STAND_IN, urlOfHost } from './simulated-powershell';
