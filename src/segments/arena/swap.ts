/** The place for whole segments when memory is short: a disk of a given size. */
export class SwapArea {
  used = 0;

  /** @param bytes its size */
  constructor(readonly bytes: number) {}

  hasRoom(bytes: number): boolean {
    return this.used + bytes <= this.bytes;
  }
}
