/** The answer to the opening question, from vite.config.js. */
declare module 'virtual:finished-comparison' {
  const comparison: import('./messages.js').Comparison;
  export default comparison;
}

declare module 'virtual:compare-worker' {
  /** Its address. */
  const address: string;
  export default address;
}
