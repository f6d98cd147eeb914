/** The soft TLB against the shapes that it does not have. */

import type { Contest } from './contest.js';
import { loader, pagingMmu, realLoad } from './loads.js';
import type { LoadWork } from './loads.js';
import { bigInts, floats } from './soft-numbers.js';
import { callInside, objectResults, parallelArrays } from './soft-shapes.js';

export function softContest(question: string, work: LoadWork): Contest {
  const { ram, chunks } = work;
  const walk = pagingMmu({ ram, path: 'walk' });
  const root = walk.cr3Lo;
  return {
    question,
    operations: work.loads,
    contenders: [
      loader(
        'int32 pairs, one Int32Array',
        'an entry in one cache line, a hit loop without calls',
        work,
        realLoad(pagingMmu({ ram, path: 'soft' }), chunks),
      ),
      loader(
        'parallel arrays',
        'more bases and lengths than registers, and three cache lines an entry',
        work,
        parallelArrays(walk, work),
      ),
      loader('call inside the hit loop', 'all is loaded anew after what might be a call', work, callInside(walk, work)),
      loader('a result object', 'made for every translation', work, objectResults(walk, work)),
      loader('float64 addresses', 'divisions where int32 has shifts', work, floats(root, work)),
      loader('BigInt addresses', 'every operation makes a number on the heap', work, bigInts(root, work)),
    ],
  };
}
