/** How soon the server notices that a worker is gone, and gives its work to another. */

/**
 * A workflow task waits so long for the worker that has the workflow in memory, then any worker may replay it. Temporal's
 * default of 10 s is what an upgrade would stand still for after every `kill -9`. Under load, a task that overstays costs
 * a replay of some 200 events, which a worker does in far less than these two seconds.
 */
export const STICKY_PATIENCE = '2s';

/**
 * Activities beat three times within their heartbeat timeout (activities/polling). By default the SDK holds beats back
 * until 80 % of the timeout are over, which leaves the last fifth to a busy worker and a slow network, and lets progress
 * that a later attempt has to know of wait as long.
 */
export const HEARTBEAT_THROTTLE = '1s';
