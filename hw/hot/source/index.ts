export { modelled } from './modelled';
export { loads, settle, soft } from './soft';
export { walk } from './walk';
