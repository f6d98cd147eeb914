/** The two machines of the course, built from the public face of the hardware, and their entries. */

import { CR4_PAE, CR4_PGE, EFER_LME, Hart, Mmu, NO_TLB, parseTlb, trapOf } from '../../../hw/index.js';
import { CR0_PE, CR0_PG, CR0_WP, highWord, lowWord, PTE_A, PTE_P, PTE_PS, PTE_RW, PTE_US } from '../../../hw/index.js';
import type { Exception, Ram, StaleEntryChecker, TranslatingMachine } from '../../../hw/index.js';

/** The machines by name. */
export const COURSE_MACHINES = ['x86', 'sv39'] as const;
/** One of them. */
export type CourseMachineName = (typeof COURSE_MACHINES)[number];

/** Entries of an architecture, as plain numbers. */
export interface CourseEntryWords {
  readonly levels: number;
  /** One past the highest address of the lower half. */
  readonly end: number;
  /** The flags of a user's page, read-only or writable, and of a table. */
  readonly page: { readonly readable: number; readonly writable: number; readonly table: number };
  /** Bits that walks set, and the right to write. */
  readonly accessed: number;
  readonly writable: number;
  entry(frame: number, flags: number): number;
  frameOf(entry: number): number;
  isPresent(entry: number): boolean;
  /** Whether a present entry at `level` (0 is the lowest) maps a page. */
  isLeaf(entry: number, level: number): boolean;
  /** Odd flags for the walk's programs, of an entry for a table (or a page above the lowest level). */
  readonly oddTables: readonly number[];
  readonly oddPages: readonly number[];
  /** The flag of a page above the lowest level, and the highest level with such pages. */
  readonly huge: number;
  readonly hugeLevels: number;
}

/** Room for every page of a program: no entry goes by itself. */
const TLB = parseTlb('64x4');

const USER_PAGE = PTE_P | PTE_RW | PTE_US;
/** Source: Intel SDM vol. 3A, "4-Level Paging and 5-Level Paging", the formats of entries. */
const X86_WORDS: CourseEntryWords = {
  levels: 4,
  end: 2 ** 47,
  page: { readable: PTE_P | PTE_US, writable: USER_PAGE, table: USER_PAGE },
  accessed: PTE_A,
  writable: PTE_RW,
  entry: (frame, flags) => frame * 4096 + flags,
  frameOf: (entry) => Math.floor(entry / 4096),
  isPresent: (entry) => (entry & PTE_P) !== 0,
  isLeaf: (entry, level) => level === 0 || (level < 3 && (entry & PTE_PS) !== 0),
  oddTables: [USER_PAGE, USER_PAGE, PTE_P | PTE_US, PTE_P | PTE_RW, 0],
  oddPages: [USER_PAGE, PTE_P | PTE_US, PTE_P | PTE_RW, PTE_RW | PTE_US],
  huge: PTE_PS,
  hugeLevels: 1,
};

const [V, R, W, X, U, A] = [1, 2, 4, 8, 16, 64];
/** Source: RISC-V privileged specification, "Sv39: Page-Based 39-bit Virtual-Memory System". */
const SV39_WORDS: CourseEntryWords = {
  levels: 3,
  end: 2 ** 38,
  page: { readable: V | R | U, writable: V | R | W | U, table: V },
  accessed: A,
  writable: W,
  entry: (frame, flags) => frame * 1024 + flags,
  frameOf: (entry) => Math.floor(entry / 1024),
  isPresent: (entry) => (entry & V) !== 0,
  isLeaf: (entry, level) => level === 0 || (entry & (R | W | X)) !== 0,
  oddTables: [V, V, V, 0],
  oddPages: [V | R | W | U, V | R | U, V | R | W, V | W | U, R | W | U],
  huge: 0,
  hugeLevels: 1,
};

/** A processor, and the course's own use of it. */
export interface Hardware {
  readonly words: CourseEntryWords;
  readonly mmu: TranslatingMachine;
  readonly checker: StaleEntryChecker | null;
  /** Translates by a root table from here on, as the firmware would set it. */
  writeRoot(frame: number): void;
  /** Takes an exception into the registers; the code for the handler. */
  latch(exception: Exception): number;
  /** The processor's registers and instructions: the machine of the student has them by these names. */
  readonly registers: Readonly<Record<string, () => number>>;
  readonly instructions: Readonly<Record<string, (...operands: number[]) => void>>;
}

function x86Hardware(ram: Ram, tlb: boolean): Hardware {
  const mmu = new Mmu({ ram, check: tlb, tlb: tlb ? TLB : NO_TLB });
  mmu.writeCr4(CR4_PAE | CR4_PGE);
  mmu.writeEfer(EFER_LME);
  mmu.writeCr0(CR0_PE | CR0_WP | CR0_PG);
  return {
    words: X86_WORDS,
    mmu,
    checker: mmu.checker,
    writeRoot: (frame) => {
      mmu.writeCr3(0, frame * 4096);
    },
    latch: (exception) => {
      mmu.latch(exception);
      return exception.errorCode;
    },
    registers: { cr2: () => Number(mmu.cr2), cr3: () => Number(mmu.cr3) },
    instructions: {
      writeCr3: (root) => {
        mmu.writeCr3(highWord(root), lowWord(root));
      },
      invlpg: (address) => {
        mmu.invlpg(highWord(address), lowWord(address));
      },
    },
  };
}

/** satp.MODE in its high word; menvcfg.ADUE; the page faults of medeleg. */
const SATP_MODE_SHIFT = 28;
const SV39 = 8;
const ADUE = 1n << 61n;
const PAGE_FAULTS = (1 << 12) | (1 << 13) | (1 << 15);

function sv39Hardware(ram: Ram, tlb: boolean): Hardware {
  const mmu = new Hart({ ram, check: tlb, tlb: tlb ? TLB : NO_TLB });
  mmu.writeCsr('menvcfg', ADUE);
  mmu.writeCsr('medeleg', PAGE_FAULTS);
  mmu.setPrivilege('S');
  return {
    words: SV39_WORDS,
    mmu,
    checker: mmu.checker,
    writeRoot: (frame) => {
      mmu.writeSatp(SV39 << SATP_MODE_SHIFT, frame);
    },
    latch: (exception) => {
      mmu.latch(exception);
      return trapOf(exception).cause;
    },
    registers: { stval: () => Number(mmu.readCsr('stval')) },
    instructions: {
      writeSatp: (mode, asid, ppn) => {
        mmu.writeSatp((mode << SATP_MODE_SHIFT) | (asid << 12), ppn);
      },
      sfenceVma: (address = -1, asid = -1) => {
        const at = address < 0 ? null : { hi: highWord(address), lo: lowWord(address) };
        mmu.sfenceVma(at, asid < 0 ? null : asid);
      },
    },
  };
}

/** The words of a machine's entries. */
export function wordsOf(machine: CourseMachineName): CourseEntryWords {
  return machine === 'x86' ? X86_WORDS : SV39_WORDS;
}

/** A processor over `ram`; with a TLB it is in checking mode. */
export function buildHardware(machine: CourseMachineName, ram: Ram, tlb: boolean): Hardware {
  return machine === 'x86' ? x86Hardware(ram, tlb) : sv39Hardware(ram, tlb);
}

/** The address of the entry of `address` in a table at `level`. */
export function entryAddress(table: number, address: number, level: number): number {
  return table * 4096 + (Math.floor(address / 2 ** (12 + 9 * level)) % 512) * 8;
}
