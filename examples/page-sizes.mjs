// Compare page sizes on a generated workload. Run it: node examples/page-sizes.mjs

import { compare, DEFAULT_COSTS, openWorkload, presetByName } from 'pagewalk';

const tlb = presetByName('zen4');
if (tlb === undefined) throw new Error('no such preset');

const result = await compare({
  // GUPS: words anywhere in 256 MiB are modified, each as likely.
  sources: [
    { name: 'uniform', open: () => openWorkload('uniform', { footprint: 256 << 20, accesses: 500_000, seed: 7 }) },
  ],
  shifts: [12, 21, 30],
  tlb,
  costs: DEFAULT_COSTS,
});

for (const { pages, counts, perAccess } of result.runs) {
  const cycles = perAccess.cycles.toFixed(2);
  console.log(`${pages}: ${counts.walks} walks in ${counts.lookups} lookups, ${cycles} model cycles an access`);
}
console.log(`Would huge pages help? ${result.traces[0].verdict}`);

/* It prints:
4K: 476302 walks in 1000000 lookups, 16.84 model cycles an access
2M: 128 walks in 1000000 lookups, 1.53 model cycles an access
1G: 1 walks in 1000000 lookups, 0.00 model cycles an access
Would huge pages help? yes
*/
