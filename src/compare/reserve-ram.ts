import { Ram } from '../../hw/ram.js';

/** The most RAM that the model can have, in GiB, and what is tried when the host grants less. */
const CHOICES_GIB = [16, 12, 8, 6, 4, 3, 2, 1];

/**
 * RAM for a model that does not know yet how much it needs: as much as the host lets it reserve, up to 16 GiB. The
 * host commits only what is touched, yet some refuse to reserve more than they have.
 *
 * @throws RangeError when not even 1 GiB can be reserved
 */
export function reserveRam(): Ram {
  for (const gib of CHOICES_GIB) {
    try {
      return new Ram({ bytes: gib * 2 ** 30 });
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
    }
  }
  throw new RangeError('this machine cannot reserve 1 GiB of address space for the model; raise its limit (ulimit -v)');
}
