// Compare page sizes on a generated workload. Run it: node examples/page-sizes.mjs

import { compare, openWorkload, presetByName } from 'pagewalk';

const tlb = presetByName('zen4');
if (tlb === undefined) throw new Error('no such preset');

const result = await compare({
  // GUPS: words anywhere in 256 MiB are modified, each as likely.
  sources: [
    { name: 'uniform', open: () => openWorkload('uniform', { footprint: 256 << 20, accesses: 500_000, seed: 7 }) },
  ],
  shifts: [12, 21, 30],
  tlb,
});

for (const { pages, counts, time } of result.runs) {
  const { low, high } = time.translationShare;
  const share = `${(100 * low).toFixed(0)} to ${(100 * high).toFixed(0)}% of the time`;
  console.log(`${pages}: ${counts.walks} walks in ${counts.lookups} lookups, ${share}`);
}
console.log(`Would huge pages help? ${result.traces[0].verdict}`);

/* It prints:
4K: 476302 walks in 1000000 lookups, 9 to 50% of the time
2M: 128 walks in 1000000 lookups, 0 to 1% of the time
1G: 1 walks in 1000000 lookups, 0 to 0% of the time
Would huge pages help? yes
*/
