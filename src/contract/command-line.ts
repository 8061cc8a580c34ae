/** cmd.exe gives these a meaning inside and outside of quotes; a name with one is refused, never escaped (systems.md 4.2). */
const MEANS_SOMETHING = /[&|<>^%"!\r\n]|\\$/;

/** The values that setup.cmd cannot be given, by what they are. */
export function unsafeForCommandLine(values: Record<string, string>): string[] {
  return Object.entries(values)
    .filter(([, value]) => value === '' || MEANS_SOMETHING.test(value))
    .map(([what, value]) => `${what} ${JSON.stringify(value)}`);
}
