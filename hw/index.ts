/**
 * The hardware alone: the exports of `pagewalk/hw`. Things for the machine's own files are not among them.
 *
 * Types without a constructor here are those of public members: they can be named, not made.
 * @module pagewalk/hw
 */

// A processor and its memory.
export { Hart } from './riscv/hart.js';
export type { HartOptions, PrivilegeMode } from './riscv/hart.js';
export type { RiscvFeatures } from './riscv/walks.js';
export { Pe } from './aarch64/pe.js';
export type {
  AtName,
  ExceptionLevel,
  PeOptions,
  TlbiForm,
  TlbiName,
  TlbiRangeForm,
  TlbiRangeName,
} from './aarch64/pe.js';
export { AARCH64_CPUS } from './aarch64/features.js';
export type { AArch64CpuName, AArch64Features } from './aarch64/features.js';
export type { TranslatingMachine } from './translate/machine.js';
export type { MachineOptions } from './translate/options.js';
export { Core } from './x86/core.js';
export type { HandlerOf, LogicalProcessor, Translator } from './translate/logical-processor.js';
export type { ExceptionHandler } from './x86/core.js';
export type { PlainSize } from './translate/logical-processor.js';
export { TOY_SEGMENT_FAULT, ToyMachine } from './toy/machine.js';
export { packToyEntry, TOY_EXECUTABLE, TOY_USER, TOY_WRITABLE, toyEntryFormat } from './toy/shape.js';
export type { ToyEntry, ToyFlag, ToyPaging, ToySegment, ToySegmentation, ToyShape, ToyTlbShape } from './toy/shape.js';
export type { ToyTlb, ToyTlbEntry } from './toy/tlb.js';
export { INVPCID_ADDRESS, INVPCID_ALL, INVPCID_ALL_WITH_GLOBALS, INVPCID_CONTEXT, Mmu } from './x86/mmu.js';
export type { MmuOptions, X86StaleEntry } from './x86/mmu.js';
export type { GuestState, VirtualMachines, Vmcb, Vmcs } from './x86/nested/virtual-machines.js';
export type { VmExit } from './x86/nested/exits.js';
export { Ram, wordIndex } from './memory/ram.js';
export type { RamOptions, RamRange } from './memory/ranges.js';
export type { JournaledStore, StoreJournal } from './memory/store-journal.js';
export type { SharedRam } from './memory/shared-memory.js';

// Accesses, addresses, and how an access ends.
export { FETCH, IMPLICIT, READ, USER, WRITE } from './base/access.js';
export {
  formatHex,
  fromBigInt,
  highWord,
  lowWord,
  PAGE_BYTES,
  pageSizeName,
  parseAddress,
  parsePageSize,
  SIZE_1G,
  SIZE_2M,
  SIZE_4K,
  SIZE_4M,
  SIZE_SHIFTS,
  toBigInt,
  toHex,
  toNumber,
} from './base/address.js';
export type { Word64 } from './base/address.js';
export { BUS_ERROR, OK, PAGE_FAULT } from './base/fault.js';
export {
  ALIGNMENT_CHECK,
  DEBUG_FAULT,
  describePageFault,
  DOUBLE_FAULT,
  faultName,
  GENERAL_PROTECTION,
  INVALID_OPCODE,
  INVALID_TSS,
  PF_FETCH,
  PF_PRESENT,
  PF_PROTECTION_KEY,
  PF_RESERVED,
  PF_USER,
  PF_WRITE,
  SEGMENT_NOT_PRESENT,
  STACK_FAULT,
  STATUSES,
  VM_FAILURE,
} from './x86/exception.js';
export { describeException } from './x86/describe-exception.js';
export { causeName, ILLEGAL_INSTRUCTION, trapOf, VIRTUAL_INSTRUCTION } from './riscv/exception.js';
export type { Trap } from './riscv/exception.js';
export { abortName, abortOf, UNPRIVILEGED } from './aarch64/exception.js';
export type { Abort } from './aarch64/exception.js';
export type { Exception, FaultRecord } from './base/fault.js';
export type { Status, StatusName } from './x86/exception.js';

// Registers and entries.
export {
  CR0_AM,
  CR0_CD,
  CR0_ET,
  CR0_NW,
  CR0_PE,
  CR0_PG,
  CR0_WP,
  CR4_LA57,
  CR4_PAE,
  CR4_PCIDE,
  CR4_PGE,
  CR4_PKE,
  CR4_PKS,
  CR4_PSE,
  CR4_SMAP,
  CR4_SMEP,
  CR4_VME,
  EFER_LMA,
  EFER_LME,
  EFER_NXE,
  EFER_SCE,
} from './x86/registers.js';
export type { PagingFeatures, PagingRegisters, PagingRules } from './x86/rules.js';
export {
  PTE_A,
  PTE_D,
  PTE_G,
  PTE_P,
  PTE_PCD,
  PTE_PS,
  PTE_PWT,
  PTE_RW,
  PTE_US,
  PTE_XD,
  X86_MODES,
} from './x86/format.js';
export type { X86ModeName } from './x86/format.js';
export { EPT_MODES } from './x86/nested/ept-format.js';
export { CSR_NAMES } from './riscv/registers.js';
export type { CsrName, Csrs, CsrView, Xlen } from './riscv/registers.js';
export type { RiscvRules, RiscvStage } from './riscv/rules.js';
export { RISCV_GUEST_MODES, RISCV_MODES } from './riscv/format.js';
export type { RiscvGuestModeName, RiscvModeName } from './riscv/format.js';
export { SYSTEM_REGISTERS } from './aarch64/registers.js';
export type { StoredRegisterName, SystemRegisterName, SystemRegisters } from './aarch64/registers.js';
export type { AArch64Rules, TranslationTables } from './aarch64/rules.js';
export type { AddressPlace, GranuleRules } from './aarch64/granules.js';
export { AARCH64_MODES, AARCH64_STAGE2_MODES } from './aarch64/format.js';
export type { AArch64ModeName } from './aarch64/format.js';
export { decodeEntry, flagNames } from './base/format.js';
export type { DecodedField, EntryField, EntryFormat, PagingLevel, PagingMode } from './base/format.js';

// TLBs, their counts and their price.
export { parseTlb } from './tlb/parse.js';
export { MODEL_DEFAULT, NO_TLB, presetByName, presetNames } from './tlb/presets.js';
export type { SpaceNumbers } from './tlb/spaces.js';
export type { TlbArrayShape, TlbGeometry, TlbHierarchy, TlbLevelShape, WalkCacheGeometry } from './tlb/hierarchy.js';
export type { Replacement } from './tlb/array/replacement.js';
export type { TlbShape } from './tlb/shape.js';
export type { DataPath } from './translate/path/data-path.js';
export type { Regime, TableLevels } from './translate/walk/regime.js';
export type {
  EntryCacheEvent,
  FaultEvent,
  HitEvent,
  InstructionEvent,
  InvalidateEvent,
  LookupEvent,
  ReadEvent,
  SetEvent,
  TranslationEvent,
  TranslationListener,
  SecondStageHitEvent,
  WalkCacheHitEvent,
  WalkedEvent,
} from './translate/walk/events.js';
export type { DropEvent, FillEvent, HeldEntry, TlbListener } from './tlb/events.js';
export type { TranslationPath } from './translate/path/caches.js';
export type { WalkRead, WalkRecord } from './translate/walk/walk-record.js';
export type { Observer, Walks } from './translate/walk/walks.js';
export type { AccessCounts, Counters, CounterValues } from './translate/counts/counters.js';
export type { X86Counters, X86CounterValues } from './x86/counters.js';
export { DEFAULT_COSTS, DEFAULT_ENTRY_CACHE, translationCycles } from './translate/counts/cost.js';
export type { CostTable, PricedCounts, TranslationCycles } from './translate/counts/cost.js';
export type { MissListener } from './translate/path/miss-listener.js';
export { describeStale } from './translate/path/stale-check.js';
export type { ChangedEntry, DatedStore, StaleEntry, StaleEntryChecker } from './translate/path/stale-check.js';

// Segmentation.
export { SegmentationUnit } from './x86/segmentation/unit.js';
export type { LinearMemory } from './x86/segmentation/linear-memory.js';
export type { SegmentationMode } from './x86/segmentation/unit.js';
export { CS, DS, ES, FS, GS, SEGMENT_NAMES, SS } from './x86/segmentation/register.js';
export type { SegmentRegister, TableRegister } from './x86/segmentation/register.js';
export { packCallGate, packSegment, unpackCallGate, unpackSegment } from './x86/segmentation/descriptor.js';
export type { CallGateFields, SegmentFields } from './x86/segmentation/descriptor.js';
export { describeDescriptor, describeSelector } from './x86/segmentation/describe.js';
export type { TransferSize } from './x86/segmentation/stack.js';
export { farReturn } from './x86/segmentation/far-return.js';
export { farCall, farJump } from './x86/segmentation/far-transfer.js';
export { loadSegment, setSegmentBase } from './x86/segmentation/load.js';
export { loadAccessRights, loadSegmentLimit, verifyRead, verifyWrite } from './x86/segmentation/query.js';
export { loadGdt, loadLdt, loadTaskRegister } from './x86/segmentation/table-registers.js';
