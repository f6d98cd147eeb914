import { Ram } from './ram.js';

const GIB = 2 ** 30;
/** The most RAM of the model, in GiB, and the sizes tried when the host grants less. */
const CHOICES_GIB = [16, 12, 8, 6, 4, 3, 2, 1];

/**
 * RAM for a model of unknown size: as much as the host lets it reserve, up to `most` bytes and 16 GiB. The host commits
 * only touched pages, yet some hosts refuse to reserve more than they have.
 *
 * @param shared as Ram's option
 * @throws RangeError when not even 1 GiB can be reserved
 */
export function reserveRam(most = Infinity, shared = false): Ram {
  for (const gib of CHOICES_GIB.filter((choice) => choice * GIB <= most)) {
    try {
      return new Ram({ bytes: gib * GIB, shared, webAssembly: false });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  throw new RangeError('this machine cannot reserve 1 GiB of address space for the model; raise its limit (ulimit -v)');
}
