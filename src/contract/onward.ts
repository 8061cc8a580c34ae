/**
 * How people call the command line, wherever it is printed: in a clone, in the demo, beside a package, on Windows. It finds the `onward` of
 * the folder it is called in, or of its parents, and else the one that is installed for all; and no shell takes anything away from it, as
 * PowerShell takes `--` from `npm run`.
 */
export const ONWARD = 'npx onward';
