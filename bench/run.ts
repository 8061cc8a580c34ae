/**
 * `npm run bench`: measures, and prints one table of all figures. `npm run bench -- <name>` measures one thing only.
 */
import { cost } from './cost';
import { recovery } from './recovery';
import { load } from './load';
import { memory } from './memory';
import type { Sizes } from './figures';

const SIZES: Sizes = {
  pairs: Number(process.argv[3] ?? 12),
  waiting: Number(process.argv[3] ?? 12),
  kills: Number(process.argv[3] ?? 12),
  upgrades: Number(process.argv[3] ?? 12),
};
const b = [cost, recovery, memory, load].find((x) => x.name === process.argv[2])!;
b.run(SIZES, (l) => console.error(l)).then(
  (f) => {
    console.table(f.map(({ target, ...x }) => x));
    process.exit(0);
  },
  (e) => {
    console.error(e);
    process.exit(1);
  },
);
