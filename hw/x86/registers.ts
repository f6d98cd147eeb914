/**
 * Bits of the control registers, as far as translation depends on them.
 * Source: Intel SDM vol. 3A, "Control Registers" and "Extended Feature Enable Register".
 */

export const CR0_PE = 1 << 0;
/** Extension type: always 1. */
export const CR0_ET = 1 << 4;
/** Write protect: supervisor writes obey R/W, too. */
export const CR0_WP = 1 << 16;
/** Alignment mask. */
export const CR0_AM = 1 << 18;
/** Not write-through. */
export const CR0_NW = 1 << 29;
/** Cache disable. */
export const CR0_CD = 1 << 30;
/** Paging. */
export const CR0_PG = 1 << 31;
/** CR0 bits: PE MP EM TS ET NE WP AM NW CD PG. The others of the low word stay clear at every write. */
export const CR0_KNOWN = 0xe005_003f | 0;

/** Virtual-8086 mode extensions. */
export const CR4_VME = 1 << 0;
/** Page size extensions: 4 MiB pages in 32-bit paging. */
export const CR4_PSE = 1 << 4;
/** Physical address extension: entries of 8 bytes. */
export const CR4_PAE = 1 << 5;
/** Page global enable. */
export const CR4_PGE = 1 << 7;
/** 5-level paging. */
export const CR4_LA57 = 1 << 12;
/** PCIDs in CR3. */
export const CR4_PCIDE = 1 << 17;
/** A supervisor fetches no user pages. */
export const CR4_SMEP = 1 << 20;
/** A supervisor reads and writes no user pages, unless RFLAGS.AC = 1. */
export const CR4_SMAP = 1 << 21;
/** Protection keys for user pages. */
export const CR4_PKE = 1 << 22;
/** Protection keys for supervisor pages. */
export const CR4_PKS = 1 << 24;

/**
 * CR4 bits of the modelled processor: VME PVI TSD DE PSE PAE MCE PGE PCE OSFXSR OSXMMEXCPT UMIP LA57 FSGSBASE
 * PCIDE OSXSAVE SMEP SMAP PKE PKS. Setting another one is #GP(0). VMXE, SMXE and CET are left out: none is modelled.
 */
const CR4_KNOWN = 0x0177_1fff;

/** SYSCALL enable. */
export const EFER_SCE = 1 << 0;
/** Long mode enable. */
export const EFER_LME = 1 << 8;
/** Long mode active; the processor sets it. */
export const EFER_LMA = 1 << 10;
/** No-execute enable: bit 63 of entries. */
export const EFER_NXE = 1 << 11;
const EFER_KNOWN = EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE;

/** Bits 11:0 of CR3 are the PCID when CR4.PCIDE = 1. */
export const PCID_MASK = 0xfff;

/** The registers behind translation, 64-bit ones as two words. */
export class Registers {
  cr0 = CR0_ET;
  cr2Hi = 0;
  cr2Lo = 0;
  cr3Hi = 0;
  cr3Lo = 0;
  cr4 = 0;
  efer = 0;
  pkru = 0;
  /** IA32_PKRS. */
  pkrs = 0;
  /** RFLAGS.AC. */
  ac = false;
}

/** Whether the processor is in IA-32e mode, the mode of 64-bit code and of 4-level and 5-level paging. */
export function longModeActive(registers: Pick<Registers, 'efer'>): boolean {
  return (registers.efer & EFER_LMA) !== 0;
}

/** Whether MOV to CR0 accepts the value; otherwise #GP(0). Source: Intel SDM vol. 2, "MOV - Move to/from Control Registers". */
export function acceptsCr0(registers: Registers, value: number): boolean {
  if (value & CR0_PG && !(value & CR0_PE)) return false;
  if (value & CR0_NW && !(value & CR0_CD)) return false;
  const enables = (value & CR0_PG) !== 0 && !(registers.cr0 & CR0_PG);
  if (enables && registers.efer & EFER_LME && !(registers.cr4 & CR4_PAE)) return false;
  return (value & CR0_PG) !== 0 || !(registers.cr4 & CR4_PCIDE);
}

/** Whether MOV to CR3 accepts the value; `maxPhysicalBits` is M. Bit 63 is a command, not part of the register. */
export function acceptsCr3(registers: Registers, hi: number, maxPhysicalBits: number): boolean {
  if (!longModeActive(registers)) return true;
  const address = 2 ** (maxPhysicalBits - 32) - 1;
  const bit63 = registers.cr4 & CR4_PCIDE ? 0x8000_0000 : 0;
  return (hi & ~(address | bit63)) === 0;
}

/** Whether MOV to CR4 accepts the value; otherwise #GP(0). */
export function acceptsCr4(registers: Registers, value: number): boolean {
  const long = longModeActive(registers);
  const changed = registers.cr4 ^ value;
  if (value & ~CR4_KNOWN) return false;
  if (long && (changed & CR4_LA57 || !(value & CR4_PAE))) return false;
  const enablesPcid = (changed & value & CR4_PCIDE) !== 0;
  return !enablesPcid || (long && (registers.cr3Lo & PCID_MASK) === 0);
}

/** Whether WRMSR to EFER accepts the value; otherwise #GP(0). */
export function acceptsEfer(registers: Registers, value: number): boolean {
  if (value & ~EFER_KNOWN) return false;
  return !((registers.efer ^ value) & EFER_LME && registers.cr0 & CR0_PG);
}
