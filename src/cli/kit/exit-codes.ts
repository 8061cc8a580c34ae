/** What the exit code of every command says. */
export const EXIT = {
  ok: 0,
  failure: 1,
  usage: 2,
  refused: 3,
  notFound: 4,
  unreachable: 5,
  noWorker: 6,
  interrupted: 130,
} as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

export const EXIT_CODES_HELP = `
Exit codes:
  0    done
  1    failed: the upgrade was rolled back, or something went wrong that no other code names
  2    the command line, an answer or the inventory is not valid; every problem is listed
  3    refused, and nothing was changed: the upgrade said no, is running already, is completed already,
       or its preflight forbids it
  4    there is no such upgrade or provider
  5    the Temporal server cannot be reached
  6    the server is there, but no Onward worker answers
  130  interrupted; a running upgrade goes on without the command`;
