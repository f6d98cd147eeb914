import { hostname } from 'node:os';
import { join } from 'node:path';
import { cacheFolder } from './compile.js';

/** Where the prices of this host lie unless another file is named: homes may be shared between hosts. */
export function ownPricesPath(): string {
  return join(cacheFolder(), `prices-${hostname().replaceAll(/[^\w.-]/g, '_')}.json`);
}
