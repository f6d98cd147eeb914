import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OpenFile } from '../../../../src/kernel/space/model.js';
import * as f from '../../../../src/kernel/abi/flags.js';
import type { Kernel } from '../../../../src/kernel/kernel.js';
import type { Process } from '../../../../src/kernel/space/process.js';
import { vmaUsage } from '../../../../src/kernel/proc/smaps.js';
import { OracleObject, OracleProcess, truncate } from './byte-oracle.js';
import type { Cell } from './byte-oracle.js';
import { alive, bootOn, MACHINES, MIB, peek } from '../machine.js';
import { runs } from '../../../runs.js';

const BASE = 2 ** 33;
const PAGE = 4096;
const MOST_PROCESSES = 6;

type Machine = (typeof MACHINES)[number];

/** Numbers that an operation makes of what it needs: kind, process, page, length, and two more. */
type Draw = readonly [number, number, number, number, number, number];
interface Pair {
  readonly real: Process;
  readonly model: OracleProcess;
}

/** The kernel and the oracle side by side. */
class World {
  readonly kernel: Kernel;
  readonly mmu: ReturnType<typeof bootOn>['mmu'];
  readonly pairs: Pair[] = [];
  readonly files: { readonly file: OpenFile; readonly model: OracleObject }[] = [];
  readonly #pages: number;
  readonly #unit: number;

  constructor(machine: Machine, pages: number, unit: number, ram: number) {
    const { kernel, mmu } = bootOn(machine, ram);
    this.kernel = kernel;
    this.mmu = mmu;
    this.#pages = pages;
    this.#unit = unit;
    const first = alive(kernel.spawn({ hugePages: unit > 1 ? 'always' : 'never' }));
    this.pairs.push({ real: first, model: new OracleProcess() });
    for (const name of ['a', 'b']) this.files.push({ file: kernel.files.memfd(name), model: new OracleObject(0) });
  }

  #places([, , page, length]: Draw): { page: number; count: number } {
    const at = page % this.#pages;
    const most = Math.min(this.#pages - at, 9 * this.#unit);
    // Now and then whole huge pages, otherwise anything.
    const aligned = this.#unit > 1 && length % 2 === 0;
    const start = aligned ? at - (at % this.#unit) : at;
    const count = aligned ? this.#unit * (1 + (length % 3)) : 1 + (length % most);
    return { page: start, count: Math.min(count, this.#pages - start) };
  }

  /** One operation on both; the results must be the same. */
  step(draw: Draw): void {
    const [kind, who, , , more, value] = draw;
    const pair = this.pairs[who % this.pairs.length];
    const { page, count } = this.#places(draw);
    const at = BASE + page * PAGE;
    const bytes = count * PAGE;
    const { kernel } = this;
    const { real, model } = pair;
    switch (kind) {
      case 0:
      case 1:
      case 2:
        expect(kernel.store(real, at, 1, value)).toBe(model.write(page, value));
        break;
      case 3:
      case 4:
        expect(peek(kernel, real, at)).toBe(model.read(page));
        break;
      case 5:
        this.#map(pair, page, count, more, value);
        break;
      case 6:
        expect(kernel.munmap(real, at, bytes)).toBe(model.unmap(page, count));
        break;
      case 7: {
        const rights = [0, 1, 3, 3][more % 4];
        expect(kernel.mprotect(real, at, bytes, rights)).toBe(model.protect(page, count, rights));
        break;
      }
      case 8:
        this.#advise(pair, page, count, more);
        break;
      case 9:
        this.#forkOrEnd(pair, more);
        break;
      case 10:
        this.#move(pair, page, more, value);
        break;
      default:
        this.#file(pair, page, more, value);
    }
  }

  #map({ real, model }: Pair, page: number, count: number, more: number, value: number): void {
    const shared = more % 3 === 0;
    const withFile = more % 2 === 0;
    const chosen = withFile ? this.files[value % 2] : null;
    const offset = withFile ? value % 4 : 0;
    const flags = (shared ? f.MAP_SHARED : f.MAP_PRIVATE) | f.MAP_FIXED | (withFile ? 0 : f.MAP_ANONYMOUS);
    const address = BASE + page * PAGE;
    const prot = f.PROT_READ | f.PROT_WRITE;
    const request = { address, length: count * PAGE, prot, flags, file: chosen?.file ?? null, offset: offset * PAGE };
    expect(this.kernel.mmap(real, request)).toBe(address);
    const object = chosen?.model ?? (shared ? new OracleObject(count) : null);
    const cell = { rights: 3, object, shared, own: undefined, guard: false, dontFork: false, wipe: false };
    model.map(page, count, (i): Cell => ({ ...cell, index: offset + i }));
  }

  #advise({ real, model }: Pair, page: number, count: number, more: number): void {
    const changes: readonly (readonly [number, (cell: Cell) => Cell])[] = [
      [f.MADV_DONTNEED, (cell) => ({ ...cell, own: undefined })],
      [f.MADV_DONTFORK, (cell) => ({ ...cell, dontFork: true })],
      [f.MADV_DOFORK, (cell) => ({ ...cell, dontFork: false })],
      [f.MADV_KEEPONFORK, (cell) => ({ ...cell, wipe: false })],
      [f.MADV_HUGEPAGE, (cell) => cell],
      [f.MADV_NOHUGEPAGE, (cell) => cell],
      [f.MADV_GUARD_INSTALL, (cell) => ({ ...cell, own: undefined, guard: true })],
      [f.MADV_GUARD_REMOVE, (cell) => ({ ...cell, guard: false })],
      [f.MADV_SEQUENTIAL, (cell) => cell],
    ];
    const at = BASE + page * PAGE;
    if (more % 12 === 9) {
      this.kernel.madvise(real, at, count * PAGE, f.MADV_COLLAPSE);
      return;
    }
    if (more % 12 === 10) {
      const result = this.kernel.madvise(real, at, count * PAGE, f.MADV_POPULATE_WRITE);
      expect(result === 0).toBe(model.populate(page, count));
      return;
    }
    if (more % 12 === 11) {
      // Wiping is for private anonymous memory alone: an error leaves what comes before changed.
      const result = this.kernel.madvise(real, at, PAGE, f.MADV_WIPEONFORK);
      if (result === 0) model.advise(page, 1, (cell) => ({ ...cell, wipe: true }));
      return;
    }
    const [advice, change] = changes[more % 12];
    expect(this.kernel.madvise(real, at, count * PAGE, advice)).toBe(model.advise(page, count, change));
  }

  #forkOrEnd(pair: Pair, more: number): void {
    const { kernel, pairs } = this;
    if (more % 3 !== 0 && pairs.length < MOST_PROCESSES) {
      pairs.push({ real: alive(kernel.fork(pair.real)), model: pair.model.fork() });
    } else if (more % 3 === 0 && pairs.length > 1) {
      kernel.exit(pair.real);
      pairs.splice(pairs.indexOf(pair), 1);
    } else if (more % 7 === 0) {
      expect(kernel.exec(pair.real)).toBe(0);
      pair.model.cells.clear();
    }
  }

  #move({ real, model }: Pair, page: number, more: number, value: number): void {
    const to = (value * 7 + more) % (this.#pages - 1);
    const count = 1 + (more % 2);
    const keep = count === 1 && more % 3 === 0;
    const result = this.kernel.mremap(real, {
      address: BASE + page * PAGE,
      oldLength: PAGE,
      newLength: count * PAGE,
      flags: f.MREMAP_MAYMOVE | f.MREMAP_FIXED | (keep ? f.MREMAP_DONTUNMAP : 0),
      newAddress: BASE + to * PAGE,
    });
    const expected = model.move(page, to, count, keep);
    expect(result).toBe(expected < 0 ? expected : BASE + to * PAGE);
  }

  #file({ real, model }: Pair, page: number, more: number, value: number): void {
    const { file, model: object } = this.files[value % 2];
    const { files } = this.kernel;
    const index = more % 6;
    const at = BASE + page * PAGE;
    switch (more % 5) {
      case 0:
        expect(files.truncate(file, index * PAGE)).toBe(
          truncate(
            object,
            index,
            this.pairs.map((pair) => pair.model),
          ),
        );
        break;
      case 1:
        expect(files.write(file, index * PAGE, Uint8Array.of(value))).toBe(1);
        object.size = Math.max(object.size, index + 1 / PAGE);
        object.bytes.set(index, value);
        break;
      case 2: {
        const got = new Uint8Array(1);
        expect(files.read(file, index * PAGE, got)).toBe(index < object.size ? 1 : 0);
        if (index < object.size) expect(got[0]).toBe(object.read(index));
        break;
      }
      case 3: {
        const result = model.write(page, value);
        expect(this.kernel.copyOut(real, at, Uint8Array.of(value))).toBe(result < 0 ? 0 : 1);
        break;
      }
      default: {
        const got = new Uint8Array(1);
        const result = model.read(page);
        expect(this.kernel.copyIn(real, at, got)).toBe(result < 0 ? 0 : 1);
        if (result >= 0) expect(got[0]).toBe(result);
      }
    }
  }

  /** What smaps says of each VMA, and of all against what the process is charged for. */
  #columnsAddUp({ space }: Process): void {
    let resident = 0;
    for (const vma of space?.vmas ?? []) {
      const usage = vmaUsage(this.kernel.memory, vma);
      const { rss, sharedClean, sharedDirty, privateClean, privateDirty } = usage;
      expect(sharedClean + sharedDirty + privateClean + privateDirty).toBe(rss);
      expect(usage.anonHugePages).toBeLessThanOrEqual(usage.anonymous);
      expect(usage.lazyFree).toBeLessThanOrEqual(Math.min(usage.anonymous, sharedClean + privateClean));
      for (const part of [usage.referenced, usage.anonymous, usage.pssKib * 1024])
        expect(part).toBeLessThanOrEqual(rss);
      resident += rss / PAGE;
    }
    expect(resident).toBe(space?.residentPages ?? 0);
  }

  /** Every byte of every process, the books, and after the last exit every frame. */
  finish(free: number): void {
    for (const { real, model } of this.pairs) {
      for (const page of model.cells.keys()) {
        expect(peek(this.kernel, real, BASE + page * PAGE)).toBe(model.read(page));
      }
    }
    for (const { real } of this.pairs) this.#columnsAddUp(real);
    expect(this.kernel.audit()).toEqual([]);
    expect(this.mmu.checker?.found).toEqual([]);
    for (const { real } of this.pairs) this.kernel.exit(real);
    for (const { file } of this.files) this.kernel.files.close(file);
    expect(this.kernel.audit()).toEqual([]);
    expect(this.kernel.memory.objects.size + this.kernel.memory.anonVmas.size).toBe(0);
    const { frames, hugeZeroFrame } = this.kernel.memory;
    expect(frames.buddy.free).toBe(free - (hugeZeroFrame === 0 ? 0 : 512));
  }
}

function freeAtStart(machine: Machine, ram: number): number {
  return bootOn(machine, ram).kernel.memory.frames.buddy.free;
}

const number = fc.nat({ max: 1_000_000 });
const draws = (count: number): fc.Arbitrary<Draw[]> =>
  fc.array(fc.tuple(fc.nat({ max: 11 }), number, number, number, number, fc.nat({ max: 255 })), {
    minLength: count,
    maxLength: count,
    size: 'max',
  });

describe.each(MACHINES)('random operations over random trees of processes, on %s', (machine) => {
  const share = machine === 'x86' ? 1 : 5;

  it('4 KiB pages: no byte lost, leaked or stale, and every frame back', () => {
    checkWorlds(draws(400), { numRuns: runs(75 / share), seed: 4 }, [machine, 48, 1, 8 * MIB]);
  });

  it('2 MiB pages: the same over splits, copies and collapses', () => {
    checkWorlds(draws(200), { numRuns: runs(10 / share), seed: 2 }, [machine, 2048, 512, 256 * MIB]);
  });
});

/** A fresh world of this size for every list of draws; its memory is all free again at the end. */
function checkWorlds(
  lists: fc.Arbitrary<Draw[]>,
  runs: fc.Parameters<[Draw[]]>,
  size: ConstructorParameters<typeof World>,
): void {
  const free = freeAtStart(size[0], size[3]);
  fc.assert(
    fc.property(lists, (list) => {
      const world = new World(...size);
      for (const draw of list) world.step(draw);
      world.finish(free);
    }),
    runs,
  );
}
