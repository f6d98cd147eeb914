import { describe, expect, it } from 'vitest';
import { parseState } from '../../../src/explain/machine-state.js';
import { DEMO_SELECTORS, segmentDemoInput } from '../../../src/explain/segment/segment-demo.js';
import { LogicalAddressMachine, stagesOf } from '../../../web/segment/machine.js';

function machine(cpl = 3): LogicalAddressMachine {
  return new LogicalAddressMachine(parseState(segmentDemoInput(cpl)));
}

/** How each event of a story ends. */
function ends(words: readonly string[]): string[] {
  const segments = machine();
  return words.map((event) => {
    segments.act(event);
    const { outcome } = segments.result!;
    return outcome.kind === 'mapped' ? outcome.physical : outcome.name;
  });
}

describe('LogicalAddressMachine', () => {
  // The fault of each check: Intel SDM vol. 3A, "Limit Checking", "Type Checking", "Segment Descriptors".
  it('ends each access as the processor does, and again once the bit in its way is changed', () => {
    expect(
      ends([
        'read.ds.0x2b.0x1ffc.4',
        'write.ds.0x2b.0x1ffe.4',
        'write.ds.0x33.0x10.4',
        'flip.0.41',
        'read.ds.0x43.0x0.4',
        'flip.0.47',
      ]),
    ).toEqual([
      '0x102ffc',
      '#GP general protection',
      '#GP general protection',
      '0x100010',
      '#NP segment not present',
      '0x100000',
    ]);
  });

  it('begins each access with the machine as it was: a call leaves no level behind', () => {
    const segments = machine();
    segments.act('call.cs.0x63.0x0.4');
    expect(segments.result?.transfer?.cpl).toBe(0);
    segments.act('read.ds.0x2b.0x10.4');
    expect(segments.result?.cpl).toBe(3);
  });

  it('is shown as the selector, the descriptor, each check that was made, and the end', () => {
    const segments = machine();
    expect(segments.act('read.ds.0x2b.0x10.4')).toBe(stagesOf(segments.result!));
    expect(segments.act('read.ds.0x10.0x0.4')).toBeLessThan(segments.act('read.ds.0x2b.0x10.4'));
  });

  it.each(['jump.ds.0x0.0x0.4', 'read.ds.0x12345.0x0.4', 'read.ds.x.0x0.4', 'read.ds.0x2b.0x100000000.4', 'flip.2.5'])(
    'refuses %s with a sentence',
    (words) => {
      const segments = machine();
      segments.act('read.ds.0x2b.0x10.4');
      expect(() => segments.act(words)).toThrow(RangeError);
    },
  );

  it('finds a descriptor for each selector of the demonstration', () => {
    const segments = machine();
    for (const { selector, about } of DEMO_SELECTORS) {
      segments.act(`read.ds.0x${selector.toString(16)}.0x10.4`);
      expect([about, segments.result?.descriptors.length]).not.toEqual([about, 0]);
    }
  });
});
