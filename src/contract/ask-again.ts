/** How a worker refuses a query that reached it between an event and its workflow task (`workflows/kit/refuse-early-queries.ts`). */
export const ASK_AGAIN =
  'The newest event of this workflow has not reached its workflow task yet. Ask again. (One that was terminated in that moment ' +
  'answers no more: `temporal workflow show` prints its history.)';
