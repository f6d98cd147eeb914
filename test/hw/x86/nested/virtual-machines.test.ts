import { describe, expect, it } from 'vitest';
import { READ, WRITE } from '../../../../hw/base/access.js';
import { OK, PAGE_FAULT } from '../../../../hw/base/fault.js';
import { Core } from '../../../../hw/x86/core.js';
import { describeException } from '../../../../hw/x86/describe-exception.js';
import { VM_FAILURE } from '../../../../hw/x86/exception.js';
import { vmExitOf } from '../../../../hw/x86/nested/exits.js';
import { MODEL_DEFAULT } from '../../../../hw/tlb/presets.js';
import * as vm from '../../../../hw/x86/nested/virtual-machines.js';
import { DATA, GUEST_PAGE, Nest, PAGE } from './nest.js';

const PGE = 0x80;
const PCIDE = 0x2_0000;
const GLOBAL = 0x107;
const OTHER = PAGE + 4096;
const OTHER_GUEST = GUEST_PAGE + 4096;

/** A guest with two pages, the first one translated already. */
function started(kind: 'ept' | 'npt', flags = 7, cr4 = 0, vpid = 1, check = false): Nest {
  const nest = new Nest(kind, { guestFlags: flags, cr4, vpid, check });
  nest.mapGuest(OTHER, OTHER_GUEST, flags);
  nest.mapHost(OTHER_GUEST, DATA + 1);
  nest.tell(READ);
  nest.tell(READ, OTHER);
  return nest;
}

/** The guest's page is another one from now on; TLBs are not told. */
function moveGuestPage(nest: Nest): void {
  nest.mapGuest(PAGE, OTHER_GUEST);
  nest.mapGuest(OTHER, GUEST_PAGE);
}

function moveHostPage(nest: Nest): void {
  nest.mapHost(GUEST_PAGE, DATA + 1);
}

/** Out to the hypervisor for an instruction, and back. */
function outside(nest: Nest, act: () => void, control = nest.control): void {
  nest.mmu.vm.vmexit();
  act();
  nest.enter(control);
}

describe('VMLAUNCH', () => {
  const { mmu, control } = new Nest('ept');
  mmu.vm.vmexit();
  const { guest } = control;
  const eptp = vm.makeEptp(0x1000);

  it.each<[string, Partial<vm.Vmcs>]>([
    ['a memory type that is none', { eptp: eptp ^ 1n }],
    ['3 levels', { eptp: eptp ^ 0x8n }],
    ['a reserved bit of EPTP', { eptp: eptp | 0x80n }],
    ['an address beyond MAXPHYADDR', { eptp: eptp | (1n << 40n) }],
    ['paging without protection', { guest: { ...guest, cr0: 0x8000_0000 } }],
    ['LMA without paging', { guest: { ...guest, cr0: 1 } }],
    ['long mode without PAE', { guest: { ...guest, cr4: 0 } }],
    ['CR3 beyond MAXPHYADDR', { guest: { ...guest, cr3: 1n << 40n } }],
    ['an unknown bit of CR4', { guest: { ...guest, cr4: 0x20 | (1 << 13) } }],
    ['a PDPTE with a reserved bit', { guest: { ...guest, efer: 0, pdptes: [3n, 0n, 0n, 0n] } }],
  ])('refuses %s', (_, wrong) => {
    expect(mmu.vm.vmlaunch({ eptp, vpid: 1, guest, ...wrong })).toBe(VM_FAILURE);
    expect(mmu.vm.current).toBe(null);
  });

  it('refuses a second guest at the same time, and a VPID that is none is a mistake of the caller', () => {
    const nest = new Nest('ept');
    expect(nest.mmu.vm.vmlaunch({ eptp, vpid: 2, guest })).toBe(VM_FAILURE);
    expect(() => mmu.vm.vmlaunch({ eptp, vpid: 0x1_0000, guest })).toThrow('vpid');
  });
});

describe('VMRUN', () => {
  it('refuses ASID 0, and a host without paging', () => {
    const { mmu, control } = new Nest('npt');
    mmu.vm.vmexit();
    const { guest } = control;
    expect(mmu.vm.vmrun({ nestedCr3: 0x1000, asid: 0, guest })).toBe(VM_FAILURE);
    mmu.writeCr0(0);
    expect(mmu.vm.vmrun({ nestedCr3: 0x1000, asid: 1, guest })).toBe(VM_FAILURE);
  });
});

describe('an exit', () => {
  it("saves the guest's registers and loads the host's", () => {
    const { mmu, control } = new Nest('ept', { guest: '32' });
    const cr3 = mmu.cr3;
    mmu.writeCr4(mmu.cr4 | PGE);
    mmu.vm.vmexit();
    expect([mmu.cr3, mmu.cr4, mmu.rules.mode]).toEqual([0n, 0x20, '4l']);
    expect([control.guest.cr3, control.guest.cr4]).toEqual([cr3, 0x10 | PGE]);
  });

  it('comes with a refusal of the second stage, and lets the access be made again', () => {
    const nest = new Nest('ept', { hostFlags: 5 });
    const core = new Core(nest.mmu);
    const reasons: string[] = [];
    core.onException((exception, { mmu }) => {
      reasons.push(
        `${vmExitOf(exception)?.reason ?? 'none'}, then in ${mmu.vm.current === null ? 'the host' : 'a guest'}`,
      );
      nest.set(nest.hostEntry(GUEST_PAGE, 0), 2n);
      nest.enter();
      return true;
    });
    expect(core.store(0, PAGE, 4, 0, 7)).toBe(OK);
    expect(reasons).toEqual(['EPT violation, then in the host']);
    expect(nest.ram.load32(0, DATA * 4096)).toBe(7);
  });

  it("does not come with the guest's own page fault", () => {
    const nest = new Nest('ept', { guestFlags: 5 });
    const core = new Core(nest.mmu);
    expect(core.store(0, PAGE, 4, 0, 7)).toBe(PAGE_FAULT);
    expect([nest.mmu.vm.current, nest.mmu.cr2Lo]).toEqual([nest.control, PAGE]);
  });

  it('in words', () => {
    const tell = (nest: Nest): string => {
      nest.tell(WRITE);
      return describeException(nest.mmu.fault.take());
    };
    expect(tell(new Nest('ept', { hostFlags: 5 }))).toBe(
      'EPT violation at guest-physical 0x602000, qualification 0x7aa: write of the page, linear 0x402000',
    );
    expect(tell(new Nest('npt', { hostFlags: 5 }))).toBe(
      '#VMEXIT(NPF) at guest-physical 0x602000, EXITINFO1 0x100000007: write in user mode of a present page, for the page, linear 0x402000',
    );
    expect(tell(new Nest('ept', { hostFlags: 2 }))).toBe('EPT misconfiguration at guest-physical 0x602000');
  });
});

describe('PDPTE registers under EPT', () => {
  it('stay as they were loaded, until MOV to CR3 reads the guest-physical table', () => {
    const nest = new Nest('ept', { guest: 'pae' });
    nest.put(nest.guestEntry(PAGE, 2), 0n);
    expect(nest.tell(READ)).toBe('frame 0');
    expect(nest.mmu.writeCr3(0, nest.guestRoot * 4096)).toBe(OK);
    expect(nest.tell(READ)).toBe('fault -14 0');
  });

  it('a load refused by EPT exits without a linear address, and CR3 stays', () => {
    const nest = new Nest('ept', { guest: 'pae' });
    expect(nest.mmu.writeCr3(0, 0x50_0020)).toBe(PAGE_FAULT);
    expect(vmExitOf(nest.mmu.fault)).toEqual({
      reason: 'EPT violation',
      qualification: 1n,
      guestPhysical: 0x50_0020n,
      guestLinear: undefined,
    });
    expect(nest.mmu.cr3Lo).toBe(nest.guestRoot * 4096);
  });
});

describe('VPID and ASID', () => {
  it.each(['ept', 'npt'] as const)('%s: translations stay over an exit and an entry', (kind) => {
    const nest = started(kind);
    moveGuestPage(nest);
    outside(nest, () => nest.mmu.translate(0, PAGE, READ));
    expect(nest.tell(READ)).toBe('frame 0');
  });

  it('without VPIDs they do not', () => {
    const nest = started('ept', 7, 0, 0);
    moveGuestPage(nest);
    outside(nest, () => undefined);
    expect(nest.tell(READ)).toBe('frame 1');
  });

  it.each(['ept', 'npt'] as const)('%s: guests, and the host, do not share them', (kind) => {
    const nest = started(kind);
    nest.mmu.vm.vmexit();
    expect(nest.mmu.translate(0, PAGE, READ)).toBe(PAGE_FAULT);
    moveGuestPage(nest);
    const { control } = nest;
    nest.enter('eptp' in control ? { ...control, vpid: 2 } : { ...control, asid: 2 });
    expect(nest.tell(READ)).toBe('frame 1');
  });

  it('a guest has PCIDs of its own', () => {
    const nest = started('ept', 7, PCIDE);
    moveGuestPage(nest);
    nest.mmu.writeCr3(0x8000_0000, (nest.guestRoot * 4096) | 5);
    expect(nest.tell(READ)).toBe('frame 1');
    nest.mmu.writeCr3(0x8000_0000, nest.guestRoot * 4096);
    expect(nest.tell(READ)).toBe('frame 0');
    nest.mmu.invpcid(1, 0, 0, 0);
    expect(nest.tell(READ)).toBe('frame 1');
  });

  it("INVPCID of everything in a guest leaves the other guest's alone", () => {
    const nest = started('ept');
    moveGuestPage(nest);
    nest.mmu.vm.vmexit();
    nest.enter({ ...nest.control, vpid: 2 });
    nest.mmu.invpcid(2, 0, 0, 0);
    nest.mmu.vm.vmexit();
    nest.enter();
    expect(nest.tell(READ)).toBe('frame 0');
  });
});

describe('INVEPT', () => {
  it('shows a changed entry of EPT, in the host alone and not before', () => {
    const nest = started('ept');
    const { eptp } = nest.control as vm.Vmcs;
    moveHostPage(nest);
    outside(nest, () => undefined);
    expect(nest.tell(READ)).toBe('frame 0');
    outside(nest, () => nest.mmu.vm.invept(vm.INVEPT_SINGLE_CONTEXT, Number(eptp) ^ 0x10_0000));
    expect(nest.tell(READ)).toBe('frame 0');
    outside(nest, () => nest.mmu.vm.invept(vm.INVEPT_SINGLE_CONTEXT, eptp));
    expect(nest.tell(READ)).toBe('frame 1');
  });

  it('of all contexts does so, too', () => {
    const nest = started('ept');
    moveHostPage(nest);
    outside(nest, () => nest.mmu.vm.invept(vm.INVEPT_GLOBAL));
    expect(nest.tell(READ)).toBe('frame 1');
  });

  it('is needed for guest-physical addresses without paging, which INVVPID leaves alone', () => {
    const nest = new Nest('ept', { guest: 'none' });
    nest.tell(READ);
    moveHostPage(nest);
    outside(nest, () => nest.mmu.vm.invvpid(vm.INVVPID_ALL_CONTEXTS, 0));
    expect(nest.tell(READ)).toBe('frame 0');
    outside(nest, () => nest.mmu.vm.invept(vm.INVEPT_GLOBAL));
    expect(nest.tell(READ)).toBe('frame 1');
  });

  it('refuses a type that is none and an EPTP that is none', () => {
    const { mmu } = new Nest('ept');
    expect([mmu.vm.invept(0), mmu.vm.invept(3), mmu.vm.invept(1, 0x1000)]).toEqual([
      VM_FAILURE,
      VM_FAILURE,
      VM_FAILURE,
    ]);
  });
});

describe('the checking mode', () => {
  it.each([
    ['ept', 'the guest', moveGuestPage, `INVLPG 0x${PAGE.toString(16)}`],
    ['ept', 'the host', moveHostPage, 'INVEPT'],
    ['npt', 'the host', moveHostPage, 'VMRUN with TLB control 3'],
  ] as const)('under %s names the instruction that %s left out', (kind, _, move, missing) => {
    const nest = started(kind, 7, 0, 1, true);
    move(nest);
    nest.tell(READ);
    expect(nest.mmu.checker?.found.map((stale) => [stale.why, stale.missing])).toEqual([['another frame', missing]]);
  });

  it.each([
    ['the TLB of the second stage', (nest: Nest) => nest.hostEntry(GUEST_PAGE, 0), BigInt((DATA + 1) * 4096 + 0x37)],
    ['its walk caches', (nest: Nest) => nest.hostEntry(GUEST_PAGE, 1), BigInt(0x40_0000 + 0xb7)],
  ])('finds a walk led astray by %s', (what, entry, value) => {
    const tlb = what.startsWith('its') ? { ...MODEL_DEFAULT, secondStage: [] } : MODEL_DEFAULT;
    const nest = new Nest('ept', { check: true, tlb });
    nest.mapGuest(OTHER, GUEST_PAGE);
    nest.tell(READ);
    nest.put(entry(nest), value);
    expect(nest.tell(READ, OTHER)).toBe('frame 0');
    const [stale] = nest.mmu.checker?.found ?? [];
    expect([stale.why, stale.missing, stale.lo]).toEqual(['another frame', 'INVEPT', OTHER]);
    expect(stale.changed.map(({ address, stage, is }) => [address, stage, is])).toEqual([[entry(nest), 2, value]]);
  });

  it('takes no A or D bit of EPT for a change', () => {
    const nest = new Nest('ept', { accessedDirty: true, check: true });
    nest.tell(READ);
    nest.tell(WRITE);
    nest.tell(READ);
    expect(nest.mmu.checker?.found).toEqual([]);
  });
});

describe('INVVPID', () => {
  it.each<[string, [type: number, vpid: number, lo?: number], string, string]>([
    ['an address', [vm.INVVPID_ADDRESS, 1, PAGE], 'frame 1', 'frame 1'],
    ['an address of another VPID', [vm.INVVPID_ADDRESS, 2, PAGE], 'frame 0', 'frame 1'],
    ['one VPID', [vm.INVVPID_SINGLE_CONTEXT, 1], 'frame 1', 'frame 0'],
    ['another VPID', [vm.INVVPID_SINGLE_CONTEXT, 2], 'frame 0', 'frame 1'],
    ['all VPIDs', [vm.INVVPID_ALL_CONTEXTS, 0], 'frame 1', 'frame 0'],
    ['one VPID but its global pages', [vm.INVVPID_SINGLE_CONTEXT_BUT_GLOBAL, 1], 'frame 1', 'frame 0'],
  ])('of %s', (_, [type, vpid, lo], first, second) => {
    const nest = started('ept');
    moveGuestPage(nest);
    outside(nest, () => {
      expect(nest.mmu.vm.invvpid(type, vpid, 0, lo)).toBe(OK);
    });
    expect([nest.tell(READ), nest.tell(READ, OTHER)]).toEqual([first, second]);
  });

  it('leaves global pages alone if asked to', () => {
    const nest = started('ept', GLOBAL, PGE);
    moveGuestPage(nest);
    outside(nest, () => nest.mmu.vm.invvpid(vm.INVVPID_SINGLE_CONTEXT_BUT_GLOBAL, 1));
    expect(nest.tell(READ)).toBe('frame 0');
    outside(nest, () => nest.mmu.vm.invvpid(vm.INVVPID_SINGLE_CONTEXT, 1));
    expect(nest.tell(READ)).toBe('frame 1');
  });

  it('refuses VPID 0, a type that is none, and an address that is not canonical', () => {
    const { mmu } = new Nest('ept');
    const results = [mmu.vm.invvpid(1, 0), mmu.vm.invvpid(4, 1), mmu.vm.invvpid(0, 1, 0x4000_0000, 0)];
    expect(results).toEqual([VM_FAILURE, VM_FAILURE, VM_FAILURE]);
  });
});

describe('INVLPGA and TLB control', () => {
  it('INVLPGA drops an address of one ASID, global or not', () => {
    for (const [asid, expected] of [
      [2, 'frame 0'],
      [1, 'frame 1'],
    ] as const) {
      const nest = started('npt', GLOBAL, PGE);
      moveGuestPage(nest);
      outside(nest, () => {
        nest.mmu.vm.invlpga(0, PAGE, asid);
      });
      expect([nest.tell(READ), nest.tell(READ, OTHER)]).toEqual([expected, 'frame 1']);
    }
  });

  it.each<[string, 0 | 1 | 3 | 7, number, string, string]>([
    ['0 drops nothing', 0, 7, 'frame 0', 'frame 0'],
    ["3 drops this guest's", 3, GLOBAL, 'frame 1', 'frame 1'],
    ["7 drops this guest's but global ones", 7, GLOBAL, 'frame 0', 'frame 0'],
    ["7 drops this guest's others", 7, 7, 'frame 1', 'frame 0'],
    ['1 drops all', 1, GLOBAL, 'frame 1', 'frame 1'],
  ])('%s', (_, tlbControl, flags, afterGuest, afterHost) => {
    const again = (move: (nest: Nest) => void): string => {
      const nest = started('npt', flags, PGE);
      move(nest);
      outside(nest, () => undefined, { ...nest.control, tlbControl });
      return nest.tell(READ);
    };
    expect(again(moveGuestPage)).toBe(afterGuest);
    expect(again(moveHostPage)).toBe(afterHost);
  });

  it('3 leaves the other guests alone', () => {
    const nest = started('npt');
    moveGuestPage(nest);
    outside(nest, () => undefined, { ...nest.control, asid: 2, tlbControl: 3 });
    outside(nest, () => undefined);
    expect(nest.tell(READ)).toBe('frame 0');
  });
});
