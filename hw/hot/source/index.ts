export { lookupOne, modelled } from './modelled';
export { settleAArch64, settleRiscv, settleX86, soft } from './soft';
export { walk } from './walk';
