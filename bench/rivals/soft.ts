/** The soft TLB against shapes it does not have. */

import { mmuFor } from '../native/workload.js';
import type { Contest } from './contest.js';
import { hotLoad, loader, realLoad, realTranslate, thenLoad } from './loads.js';
import type { LoadWork, Translate } from './loads.js';
import { bigInts, floats } from './soft-numbers.js';
import { callInside, loadAtOnce, objectResults, parallelArrays } from './soft-shapes.js';

export function softContest(question: string, work: LoadWork): Contest {
  const { ram, chunks } = work;
  const walk = mmuFor('walk', ram);
  const soft = (): typeof walk => mmuFor('soft', ram);
  const root = walk.cr3Lo;
  const reals = 'an entry in one cache line, hits in a loop without calls';
  const twoLoops = 'frames are stored only to be loaded again; in use where walks are to be expected';
  const arrays = 'as fast as those two loops while all is in the cache; three cache lines an entry when not';
  const wasm = 'in use for long batches, where RAM lies in its memory: not shared, without holes, below 4 GiB';
  const translator = (name: string, why: string, translate: Translate): Contest['contenders'][0] =>
    loader(name, why, work, thenLoad(work, translate));
  return {
    question,
    operations: work.loads,
    contenders: [
      loader('int32 pairs, one Int32Array', reals, work, realLoad(soft(), chunks)),
      translator('one loop translates, one loads', twoLoops, realTranslate(soft(), chunks)),
      translator('parallel arrays', arrays, parallelArrays(walk, work)),
      translator('call inside the hit loop', 'all is loaded anew after what might be a call', callInside(walk, work)),
      translator('a result object', 'made for every translation', objectResults(walk, work)),
      loader('loaded when translated', 'the host waits for each load by itself', work, loadAtOnce(soft(), work)),
      loader('hot loops in WebAssembly', wasm, work, hotLoad(soft(), chunks)),
      translator('float64 addresses', 'divisions where int32 has shifts', floats(root, work)),
      translator('BigInt addresses', 'every operation makes a number on the heap', bigInts(root, work)),
    ],
  };
}
