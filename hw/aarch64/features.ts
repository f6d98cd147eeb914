/**
 * The architectural features of a processor with an effect on translation, by their names in the manual without FEAT_.
 * Source: Arm ARM (DDI 0487), chapter A2, and the ID registers in "AArch64 System Register Descriptions".
 */

/** Sizes of physical addresses, by the value of ID_AA64MMFR0_EL1.PARange, TCR_EL1.IPS and VTCR_EL2.PS. */
export const PA_SIZES = [32, 36, 40, 42, 44, 48, 52] as const;

/** What a processor implements. */
export interface AArch64Features {
  /** Bits of a physical address (PARange). 52 means FEAT_LPA: with the granule of 64 KiB all 52 are in use. */
  readonly paBits: (typeof PA_SIZES)[number];
  /** The granule of 16 KiB; those of 4 and 64 KiB are always there. */
  readonly TGran16: boolean;
  /** Hardware sets the Access flag and the dirty state. */
  readonly HAFDBS: boolean;
  /** TCR_EL1.HPD0 and HPD1: no permissions in table descriptors. */
  readonly HPDS: boolean;
  /** PSTATE.PAN: privileged accesses to EL0's pages fault. */
  readonly PAN: boolean;
  /** PSTATE.UAO: unprivileged loads and stores are made as privileged ones. */
  readonly UAO: boolean;
  /** TCR_EL1.E0PD0 and E0PD1: EL0 has no access to a half of the addresses. */
  readonly E0PD: boolean;
  /** Pointer authentication, and with it TCR_EL1.TBID0 and TBID1: the top byte is ignored for data alone. */
  readonly PAuth: boolean;
  /** Virtual addresses of 52 bits with the granule of 64 KiB. */
  readonly LVA: boolean;
  /** TCR_EL1.DS and VTCR_EL2.DS: addresses of 52 bits with the granules of 4 and 16 KiB. */
  readonly LPA2: boolean;
  /** Small translation tables: TxSZ up to 48, or 47 with the granule of 64 KiB. */
  readonly TTST: boolean;
  /** Stage 2 tells execution at EL0 and EL1 apart: XN[1:0]. */
  readonly XNX: boolean;
  /** VMIDs of 16 bits, chosen by VTCR_EL2.VS. */
  readonly VMID16: boolean;
  /** TLBI by ranges of addresses. */
  readonly TLBIRANGE: boolean;
}

const CORTEX_A72: AArch64Features = {
  paBits: 44,
  TGran16: false,
  HAFDBS: false,
  HPDS: false,
  PAN: false,
  UAO: false,
  E0PD: false,
  PAuth: false,
  LVA: false,
  LPA2: false,
  TTST: false,
  XNX: false,
  VMID16: false,
  TLBIRANGE: false,
};

const NEOVERSE_N1: AArch64Features = {
  ...CORTEX_A72,
  paBits: 48,
  TGran16: true,
  HAFDBS: true,
  HPDS: true,
  PAN: true,
  UAO: true,
  XNX: true,
  VMID16: true,
};

/**
 * Feature sets of processors. `max` has every feature modelled here.
 * Source: the Technical Reference Manuals of Cortex-A72 and Neoverse N1, "AArch64 Memory Model Feature Registers".
 */
export const AARCH64_CPUS = {
  max: { ...NEOVERSE_N1, paBits: 52, E0PD: true, PAuth: true, LVA: true, LPA2: true, TTST: true, TLBIRANGE: true },
  'neoverse-n1': NEOVERSE_N1,
  'cortex-a72': CORTEX_A72,
} as const satisfies Record<string, AArch64Features>;

/** A processor with a feature set of its own: `max`, `neoverse-n1`, `cortex-a72`. */
export type AArch64CpuName = keyof typeof AARCH64_CPUS;
