/** The question that the compare view opens with; its answer is worked out when the page is built. */

export const OPENING = { source: 'sort', tlb: 'skylake', pages: ['4K', '2M', '1G'] } as const;
