/** Lines as calibrate.c would print them on a machine whose prices are known. */

const KIB = 2 ** 10;
const MIB = 2 ** 20;

export const MADE_UP = {
  cycleNs: 0.25,
  instructionNs: 0.05,
  l1: { bytes: 32 * KIB, ways: 8, ns: 1.25 },
  l2: { bytes: MIB, ways: 16, ns: 4 },
  l3: { bytes: 32 * MIB, ways: 16, ns: 20 },
  memoryNs: 100,
  misses: 10,
  walkNs: 24,
  walks: 4,
  hitNs: 2,
  pageNs: 200,
  forkNs: 15,
  faultNs: { '4K': 500, '2M': 1000 },
  zeroNsPerByte: { '4K': 0.1, '2M': 0.05 },
};

type Machine = typeof MADE_UP;

interface Shape {
  /** The largest array. */
  readonly size?: number;
  /** Host pages of 4 KiB below: huge pages spare no TLB misses. */
  readonly inPieces?: boolean;
  /** Bytes in huge pages. */
  readonly huge?: number;
  readonly machine?: Machine;
  /** What a chase in laps finds again of the third level; all by default. */
  readonly lapBytes?: number;
}

function dataNs(bytes: number, { l1, l2, l3, memoryNs }: Machine): number {
  if (bytes <= l1.bytes) return l1.ns;
  if (bytes <= l2.bytes) return l2.ns;
  const held = Math.min(1, l3.bytes / bytes);
  return held * l3.ns + (1 - held) * memoryNs;
}

/** Three samples of each kind: the true figure, one below and one above it. */
export function linesOf({
  size = 512 * MIB,
  inPieces = false,
  huge = size,
  machine = MADE_UP,
  lapBytes,
}: Shape = {}): string[] {
  const lines: string[] = [];
  const tell = (name: string, pages: string, bytes: number, ns: number): void => {
    for (const factor of [0.99, 1, 1.02]) lines.push(`${name} ${pages} ${bytes} ${ns * factor}`);
  };
  for (const pages of ['4K', '2M'] as const) {
    const translated = pages === '4K' || inPieces;
    for (let bytes = 16 * KIB; bytes <= size; bytes *= 2) {
      const stall = !translated || bytes < 2 * MIB ? 0 : bytes < 64 * MIB ? machine.hitNs : machine.walkNs;
      const ns = dataNs(bytes, machine) + stall;
      tell('dependent', pages, bytes, ns);
      tell('independent', pages, bytes, Math.max(0.5, ns / machine.misses));
      if (bytes < 4 * MIB || bytes > 64 * MIB) continue;
      const l3 = { ...machine.l3, bytes: lapBytes ?? machine.l3.bytes };
      tell('lap', pages, bytes, dataNs(bytes, { ...machine, l3 }) + stall);
    }
    for (let bytes = 16 * MIB; bytes <= size; bytes *= 4) {
      tell('stream', pages, bytes, machine.pageNs + (translated ? machine.walkNs : 0));
      tell('three-streams', pages, bytes, machine.pageNs);
      tell('streams-in-step', pages, bytes, machine.pageNs);
    }
    tell('sparse-dependent', pages, 1536 * KIB, machine.l1.ns + (translated ? machine.hitNs : 0));
    tell('sparse-independent', pages, 1536 * KIB, 0.6);
    tell('sparse-dependent', pages, 64 * MIB, machine.l2.ns + (translated ? machine.walkNs : 0));
    tell('sparse-independent', pages, 64 * MIB, translated ? machine.walkNs / machine.walks : 0.6);
    const pageBytes = pages === '4K' ? 4096 : 2 * MIB;
    tell('look', pages, 64 * MIB, machine.faultNs[pages]);
    tell('touch', pages, 64 * MIB, machine.faultNs[pages] + pageBytes * machine.zeroNsPerByte[pages]);
  }
  tell('cycle', '4K', 0, machine.cycleNs);
  tell('instruction', '4K', 0, machine.instructionNs);
  tell('fork', '4K', size, machine.forkNs);
  return [`plan ${lines.length}`, `huge ${huge}`, ...lines, 'cpu 1.5'];
}
