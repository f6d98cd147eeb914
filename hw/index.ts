/** The hardware alone: what `pagewalk/hw` exports. */
export * from './access.js';
export * from './address.js';
export * from './exception.js';
export * from './ram.js';
