/** What x86 calls things that every architecture has. */
export const X86_TERMS = { walkCaches: ['', 'PDE', 'PDPTE', 'PML4E', 'PML5E'] } as const;
