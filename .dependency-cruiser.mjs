/**
 * A room knows only the rooms below it, and no two files know each other in a circle; types count.
 * Each list goes from low to high. Rooms on one line may know each other's faces, as long as no circle comes of it.
 */

/** The files of a folder without those of its rooms. */
const own = (folder) => `${folder}[^/]+$`;

const HW = [
  ['hw/base/'],
  ['hw/memory/'],
  ['hw/hot/'],
  ['hw/tlb/'],
  ['hw/translate/walk/'],
  ['hw/translate/counts/'],
  ['hw/translate/path/'],
  [own('hw/translate/')],
  ['hw/x86/', 'hw/riscv/', 'hw/aarch64/', 'hw/toy/'],
  ['hw/index.ts'],
];

const KERNEL = [
  ['src/kernel/abi/'],
  ['src/kernel/frames/'],
  ['src/kernel/tables/'],
  ['src/kernel/space/'],
  ['src/kernel/pages/'],
  ['src/kernel/vmas/', 'src/kernel/files/'],
  ['src/kernel/faults/'],
  ['src/kernel/user/'],
  ['src/kernel/proc/', 'src/kernel/calls/'],
  ['src/kernel/process-table.ts', 'src/kernel/kernel.ts'],
];

const SRC = [
  ['src/kernel/'],
  ['src/regions/'],
  ['src/host/', 'src/trace/', 'src/segments/', 'src/replacement/', 'src/report/'],
  ['src/compare/', 'src/explain/', 'src/quiz/', 'src/lab/', 'src/inspect/', 'src/conformance/', 'src/course/'],
  ['src/cli/', 'src/index.ts', 'web/'],
];

/** The rooms of one room of src. */
const WITHIN = {
  host: [[own('src/host/')], ['src/host/calibrate/', 'src/host/try/']],
  report: [['src/report/output/'], ['src/report/results/'], ['src/report/views/']],
  compare: [
    ['src/compare/lookups/'],
    ['src/compare/machine/', 'src/compare/memory/', 'src/compare/time/'],
    ['src/compare/answer/', 'src/compare/sweep/'],
    [own('src/compare/')],
    ['src/compare/jobs/'],
  ],
  'compare/machine': [['src/compare/machine/pages/'], ['src/compare/machine/targets/'], [own('src/compare/machine/')]],
  course: [['src/course/engine/'], [own('src/course/')]],
  conformance: [
    ['src/conformance/recording/'],
    ['src/conformance/x86/', 'src/conformance/riscv/', 'src/conformance/arm/', 'src/conformance/linux/'],
  ],
};

const BENCH = [
  ['bench/measure/'],
  ['bench/growth/', 'bench/native/', 'bench/page/', 'bench/reality/', 'bench/rivals/', 'bench/two-cores/'],
  [own('bench/')],
];

/** The rooms of the page's first view. */
const TRANSLATE = [['web/translate/machines/'], ['web/translate/drawing/'], [own('web/translate/')]];

const pattern = (rooms) => `^(${rooms.map((room) => room.replaceAll('.', '\\.')).join('|')})`;

/** A rule for each floor but the highest: nothing there knows what is above. */
function upward(name, floors) {
  return floors.slice(0, -1).map((rooms, i) => ({
    name: `${name}: ${rooms.join(' ')}`,
    comment: 'A room knows only the rooms below it: move the definition down, or pass the thing in.',
    severity: 'error',
    from: { path: pattern(rooms) },
    to: { path: pattern(floors.slice(i + 1).flat()) },
  }));
}

export default {
  forbidden: [
    { name: 'circle', severity: 'error', from: { path: '^(hw|src|web|bench)/' }, to: { circular: true } },
    ...upward('hw', HW),
    ...upward('kernel', KERNEL),
    ...upward('src', SRC),
    ...Object.entries(WITHIN).flatMap(([name, floors]) => upward(name, floors)),
    ...upward('bench', BENCH),
    ...upward('translate', TRANSLATE),
    ...['x86', 'riscv', 'aarch64', 'toy'].map((own) => ({
      name: `${own} knows no other architecture`,
      comment: 'What two of them need belongs below them.',
      severity: 'error',
      from: { path: `^hw/${own}/` },
      to: { path: '^hw/(x86|riscv|aarch64|toy)/', pathNot: `^hw/${own}/` },
    })),
    {
      name: 'hw knows nothing',
      comment: 'The boundary is the lesson.',
      severity: 'error',
      from: { path: '^hw/' },
      to: { pathNot: '^hw/' },
    },
    {
      name: 'the course is a kernel of its own',
      comment: 'A student gets the public face of the hardware, and random numbers come with the seed.',
      severity: 'error',
      from: { path: '^src/course/' },
      to: { path: '^(hw/|src/kernel/)', pathNot: '^hw/(index|base/random)\\.ts$' },
    },
    {
      name: 'segments of the kernel',
      comment: 'Segments share numbers and frames with the paging kernel, and no more.',
      severity: 'error',
      from: { path: '^src/segments/' },
      to: { path: '^src/kernel/', pathNot: '^src/kernel/(abi|frames)/' },
    },
    {
      name: 'architectures of the kernel',
      comment: 'Files named after an architecture say its bits and registers: add a function there.',
      severity: 'error',
      from: { path: '^src/kernel/', pathNot: '-(x86|riscv|aarch64)\\.ts$' },
      to: { path: '^hw/(x86|riscv|aarch64)/' },
    },
    {
      name: 'bits of entries',
      comment: 'One file of the kernel says R/W, D or XD.',
      severity: 'error',
      from: { path: '^src/kernel/', pathNot: '^src/kernel/tables/entries-' },
      to: { path: '^hw/x86/(format|words|rules|walk)\\.ts$' },
    },
    { name: 'faces', severity: 'error', from: { path: '^src/' }, to: { path: '^web/' } },
  ],
  options: { doNotFollow: { path: 'node_modules' }, tsPreCompilationDeps: true },
};
