import { describe, expect, it } from 'vitest';
import { parseFacts, parseMetadata } from '../../../../src/trace/packed/metadata.js';

const METADATA = { command: ['ls', '-l'], tool: 'a tool', skip: 0, limit: null, fetches: false };
const THREAD = { tid: 7 };
const REGION = {
  start: 4096,
  end: 8192,
  permissions: 'rw-p',
  name: '[heap]',
  offset: 0,
  pageBytes: 4096,
  advice: 'none',
  residentBytes: 4096,
  cameAt: 0,
  wentAt: null,
};
const PROCESS = { pid: 7, program: '/bin/ls', origin: 'command', threads: [THREAD], regions: [REGION] };
const FACTS = { processes: [PROCESS], unseen: [] };

const metadata = (changed: object): unknown => parseMetadata(JSON.stringify({ ...METADATA, ...changed }));
const facts = (changed: object): unknown => parseFacts(JSON.stringify({ ...FACTS, ...changed }));
const processOf = (changed: object): unknown => facts({ processes: [{ ...PROCESS, ...changed }] });
const regionOf = (changed: object): unknown => processOf({ regions: [{ ...REGION, ...changed }] });

describe('metadata', () => {
  it('is taken with the fields of its format alone', () => {
    expect(metadata({ window: 100, processes: null, colour: 'red' })).toEqual({
      ...METADATA,
      window: 100,
      processes: null,
    });
  });

  it.each([
    { command: [] },
    { command: ['ls', 1] },
    { command: 'ls' },
    { tool: undefined },
    { skip: -1 },
    { skip: 0.5 },
    { skip: 2 ** 53 },
    { skip: '0' },
    { limit: 0 },
    { fetches: 1 },
    { processes: 0 },
    { engine: null },
    { windowChosen: 'yes' },
  ])('is refused with %j', (changed) => {
    expect(metadata(changed)).toBeUndefined();
  });

  it.each(['', '{', 'null', '[]', '"ls"', '7'])('is refused if it is %j', (json) => {
    expect(parseMetadata(json)).toBeUndefined();
  });
});

describe('facts', () => {
  it.each(['stopped', 'interrupted', { code: -1, signal: null }, { code: null, signal: 'SIGHUP' }])(
    'tell that a run ended by %j',
    (ending) => {
      expect(facts({ ending })).toEqual({ ...FACTS, ending });
    },
  );

  it.each(['ended', { code: 0 }, { code: '0', signal: null }, null])('are refused with the ending %j', (ending) => {
    expect(facts({ ending })).toBeUndefined();
  });

  it('tell of processes, threads and regions with all their fields', () => {
    const thread = { ...THREAD, name: 'main', accesses: 3 };
    const process = { ...PROCESS, accesses: 3, instructions: 9, residentBytes: 4096, threads: [thread] };
    const whole = { ...FACTS, accesses: 3, mixed: 2, processes: [process] };
    expect(facts(whole)).toEqual(whole);
    expect(regionOf({ advice: 'huge', stack: true, wentAt: 5 })).toBeDefined();
  });

  it('are refused with a process, thread or region of another form', () => {
    const wrong = [
      processOf({ origin: 'clone' }),
      processOf({ threads: [{ tid: '7' }] }),
      processOf({ regions: {} }),
      regionOf({ advice: 'maybe' }),
      regionOf({ end: -4096 }),
      regionOf({ wentAt: undefined }),
    ];
    expect(wrong).toEqual(wrong.map(() => undefined));
  });
});
