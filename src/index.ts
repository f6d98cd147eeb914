/** What `pagewalk` exports: the hardware, and the kernel, traces and reports on top of it. */
export * from '../hw/index.js';
