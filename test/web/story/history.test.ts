import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { History, type Machine } from '../../../web/story/history.js';
import { readLink, writeLink } from '../../../web/story/link.js';

/** Adds numbers up; each event has as many stages as its number. */
class Adder implements Machine {
  sum = 0;
  act(words: string): number {
    if (!/^[1-4]$/.test(words)) throw new RangeError(`'${words}' is no number from 1 to 4`);
    this.sum = this.sum * 5 + Number(words);
    return Number(words);
  }
}

const events = fc.array(fc.constantFrom('1', '2', '3', '4'), { maxLength: 12 });

describe('History', () => {
  it('is the same at a position however it came there', () => {
    fc.assert(
      fc.property(events, fc.array(fc.boolean(), { maxLength: 60 }), (list, moves) => {
        const history = new History(() => new Adder());
        history.load(list, { events: 0, stage: 0 });
        for (const forward of moves) {
          if (forward) history.step();
          else history.back();
          const fresh = new History(() => new Adder());
          fresh.load(list, history.position);
          expect([fresh.position, fresh.machine.sum]).toEqual([history.position, history.machine.sum]);
        }
      }),
    );
  });

  it('takes one step back for every step on', () => {
    const history = new History(() => new Adder());
    history.load(['2', '3'], { events: 0, stage: 0 });
    let steps = 0;
    while (history.step()) steps++;
    expect(steps).toBe(5);
    while (history.back()) steps--;
    expect([steps, history.machine.sum, history.atStart]).toEqual([0, 0, true]);
  });

  it('branches off when something else happens, and takes the tour up again where it was left', () => {
    const history = new History(() => new Adder());
    history.load(['1', '2', '3'], { events: 2, stage: 1 });
    const { sum } = history.machine;
    history.act('4', true);
    expect([history.events, history.atEnd]).toEqual([['1', '2', '4'], true]);
    history.act('1', true);
    history.resume();
    expect([history.events, history.position, history.machine.sum]).toEqual([
      ['1', '2', '3'],
      { events: 2, stage: 1 },
      sum,
    ]);
    expect(history.tour).toBeNull();
  });

  it('is on the tour again after as many steps back as on, and after a reset', () => {
    fc.assert(
      fc.property(
        events,
        fc.nat(12),
        fc.array(fc.constantFrom('1', '2', '3', '4'), { minLength: 1 }),
        (list, at, own) => {
          const history = new History(() => new Adder());
          history.load(list, { events: at, stage: 1 });
          const { position } = history;
          const left = !history.atEnd;
          for (const words of own) history.act(words, true);
          expect(history.tour).toEqual(left ? { events: list, at: position } : null);
          while (history.tour !== null) history.back();
          if (left) expect([history.events, history.position]).toEqual([list, position]);
          for (const words of own) history.act(words);
          history.reset();
          expect([history.tour, history.atStart]).toEqual([null, true]);
          if (left) expect(history.events).toEqual(list);
        },
      ),
    );
  });

  it('stays as it was when an event is refused', () => {
    const history = new History(() => new Adder());
    history.load(['1']);
    expect(() => {
      history.act('9');
    }).toThrow("'9' is no number from 1 to 4");
    expect(history.events).toEqual(['1']);
  });
});

describe('links', () => {
  it('say what they were made from', () => {
    const settings = fc.dictionary(fc.stringMatching(/^[a-c]{2,5}$/), fc.string());
    const at = fc.record({ events: fc.nat(999), stage: fc.nat(99) });
    fc.assert(
      fc.property(settings, events, at, (given, list, position) => {
        const moment = { view: 'share', settings: { ...given }, events: list, at: position };
        expect(readLink(writeLink(moment))).toEqual(moment);
      }),
    );
  });

  it('say a branch as well as the tour that it left', () => {
    fc.assert(
      fc.property(events, fc.nat(12), fc.array(fc.constantFrom('1', '2'), { minLength: 1 }), (list, at, own) => {
        const history = new History(() => new Adder());
        history.load(list, { events: at, stage: 1 });
        for (const words of own) history.act(words);
        const { position, tour } = history;
        const moment = { view: 'share', settings: {}, events: [...history.events], at: position };
        const link = writeLink(tour === null ? moment : { ...moment, tour });
        expect(readLink(link)).toEqual(tour === null ? moment : { ...moment, tour });
      }),
    );
  });

  it.each(['#share?at=1', '#share?at=-1.2', '#share?at=1.2.3'])('refuse the moment of %s', (link) => {
    expect(() => readLink(link)).toThrow('must be two numbers');
  });
});
