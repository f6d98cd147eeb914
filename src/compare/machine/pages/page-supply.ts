/** Who makes memory of recorded programs resident. */

/** An address space with memory. */
export interface Owner {
  /** Frame of its root table. */
  readonly root: number;
}

/** Makes pages of one kind resident. */
export interface PageSupply {
  /** log2 of the bytes that {@link populate} makes resident at once, if more than a page. */
  readonly atOnce: number;
  /** An address space without any page; undefined without room for it. */
  spawn(): Owner | undefined;
  /** Makes the page of `address`, or all {@link atOnce}, absent so far, resident, accessed and dirty; false without room. */
  populate(owner: Owner, address: number): boolean;
  /** Gives all memory of an address space back. */
  exit(owner: Owner): void;
  /** Bytes of its tables, all levels. */
  tableBytes(owner: Owner): number;
  /** Forks it and ends the child: entries that map memory and went into the child's tables; undefined without room. */
  fork(owner: Owner): { readonly entriesCopied: number; readonly tableBytes: number } | undefined;
}
