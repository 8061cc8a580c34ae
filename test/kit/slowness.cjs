/** How slow this machine is at the moment, compared with the one on which the deadlines of tests were chosen. */

/** Milliseconds that {@link work} takes on two quiet cores of that machine. */
const REFERENCE_MS = 330;

/** Deadlines that are longer do not fit into the timers of Node.js. */
const MOST = 100;

function work() {
  let x = 1;
  for (let round = 0; round < 3e8; round++) x = (Math.imul(x, 1664525) + 1013904223) | 0;
  return x;
}

/** 1 on a machine that is as fast or faster; 7 where six busy loops share two cores with the tests. Measured once in a run. */
function slowness() {
  const given = process.env.ONWARD_SLOWNESS;
  if (given !== undefined) {
    const known = Number(given);
    if (known >= 1 && known <= MOST) return known;
    throw new Error(
      `ONWARD_SLOWNESS is ${given}, and has to be a number from 1 to ${MOST}. Without it, it is measured.`,
    );
  }
  const began = performance.now();
  work();
  const measured = Math.min(MOST, Math.max(1, (performance.now() - began) / REFERENCE_MS));
  // Workers and other processes of this run need not measure again.
  process.env.ONWARD_SLOWNESS = measured.toFixed(1);
  return measured;
}

module.exports = { slowness };
