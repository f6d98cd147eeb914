/** The size of type for a lecture: as large as the window holds. */

/** Pixels. Below the first the page is not large; a window that holds less scrolls. */
const SIZES = { smallest: 17, largest: 34 };

/** The root's size at which the page just fills the window; the style's own where the page is longer at any. */
export function fitToWindow(): void {
  const { documentElement: root } = document;
  root.style.fontSize = '';
  if (root.dataset.size !== 'large') return;
  const fits = (size: number): boolean => {
    root.style.fontSize = `${size}px`;
    return root.scrollHeight <= innerHeight;
  };
  if (!fits(SIZES.smallest)) {
    root.style.fontSize = '';
    return;
  }
  let { smallest, largest } = SIZES;
  while (largest - smallest > 0.25) {
    const middle = (smallest + largest) / 2;
    if (fits(middle)) smallest = middle;
    else largest = middle;
  }
  root.style.fontSize = `${smallest}px`;
}
