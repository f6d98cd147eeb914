/** The names of x86 for things in every architecture. */
export const X86_TERMS = {
  walkCaches: ['', 'PDE', 'PDPTE', 'PML4E', 'PML5E'],
  space: 'pcid',
  coalesces: true,
} as const;
