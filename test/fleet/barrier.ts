/** An activity that is under way until it is let go. */
export interface Barrier {
  pass: () => Promise<void>;
  open: () => void;
}

export function barrier(): Barrier {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { open: () => open(), pass: () => opened };
}
