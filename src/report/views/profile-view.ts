import { factTable } from '../output/table.js';
import { formatShare } from '../output/units.js';

/** CPU seconds by phase and their shares, for the terminal. */
export function profileText(phases: readonly { readonly phase: string; readonly seconds: number }[]): string {
  const total = phases.reduce((sum, { seconds }) => sum + seconds, 0);
  const row = (label: string, seconds: number): { label: string; cells: string[] } => ({
    label,
    cells: [seconds.toFixed(2), formatShare(total === 0 ? 0 : seconds / total)],
  });
  const groups = [phases.map(({ phase, seconds }) => row(phase, seconds)), [row('in all', total)]];
  return `${factTable(['CPU seconds', 'share'], groups)}\n`;
}
