/** The answer to the opening question, from vite.config.js. */
declare module 'virtual:finished-comparison' {
  const comparison: import('./messages.js').Comparison;
  export default comparison;
}
