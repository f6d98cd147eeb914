/** What buttons and keys ask of the page. */
export interface Commands {
  /** One step of the story on. */
  step(): void;
  /** One step of the story back. */
  back(): void;
  /** Back to the start of the story. */
  reset(): void;
  /** Runs the story, or stops it. */
  run(): void;
  /** The next speed of a run. */
  turnSpeed(): void;
  /** From light to dark, or from dark to light. */
  turnTheme(): void;
  /** Everything larger, for a lecture, or as large as before. */
  turnSize(): void;
  /** Saves the view as an SVG. */
  exportDrawing(): Promise<void>;
  /** Shows the list of keys, or takes it away. */
  toggleHelp(): void;
  /** Copies a link to this moment. */
  copyLink(): Promise<void>;
}
