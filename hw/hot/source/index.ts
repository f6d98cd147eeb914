export { modelled } from './modelled';
export { loads, soft } from './soft';
export { walk } from './walk';
