import { cpus, hostname, release } from 'node:os';
import type { PricedHost } from '../report/results/prices.js';

/** This machine, as a file of prices names it. */
export function thisPricedHost(): PricedHost {
  const processors = cpus();
  const cpu = processors.at(0)?.model.trim() ?? 'unknown';
  return { name: hostname(), cpu, kernel: release(), cores: Math.max(1, processors.length) };
}

/** The first difference between two hosts, in words; undefined for one and the same. A kernel may be replaced. */
export function hostDifference(file: PricedHost, host: PricedHost): string | undefined {
  for (const field of ['name', 'cpu', 'cores'] as const) {
    if (file[field] !== host[field]) return `its ${field} is ${file[field]}, and here it is ${host[field]}`;
  }
  return undefined;
}
