/** The colours of the page: those chosen by its button, or else those of the system. */
export function themeNow(): 'dark' | 'light' {
  const { theme } = document.documentElement.dataset;
  const isDark = theme === undefined ? matchMedia('(prefers-color-scheme: dark)').matches : theme === 'dark';
  return isDark ? 'dark' : 'light';
}
