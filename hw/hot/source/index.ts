export { modelled } from './modelled';
export { settle, soft } from './soft';
export { walk } from './walk';
