import { hostname } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from '../compile.js';

/** Place of the prices of this host unless another file is named: homes may be shared between hosts. */
export function ownPricesPath(): string {
  return join(cacheFolder(), `prices-${hostname().replaceAll(/[^\w.-]/g, '_')}.json`);
}
