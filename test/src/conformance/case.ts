/** A recorded case as it stands in a file: reads a byte where neither segments nor pages are in the way, and passes. */
export const CASE = {
  id: 1,
  fam: 'paging',
  mode: 'none',
  cpl: 0,
  op: 'r',
  size: 1,
  la: '0x10',
  cr0: '0x31',
  out: { k: 'ok', pa: ['0x10'] },
};
