/**
 * The largest provider that one upgrade takes. Beyond it the preflight refuses, by name: a workflow's history has at most 51,200
 * events and 50 MB, an answer 2 MiB, and a workflow 2,000 activities that wait (docs/limits.md has the reckoning).
 */
export const LIMITS = {
  instances: 1_000,
  activeTemplates: 10_000,
  /** Active or not. */
  templates: 20_000,
  plans: 1_000,
  stores: 100,
  endpointHosts: 50,
  gatewaySites: 200,
  /** Of the inventory's entry as JSON: it is frozen into the history as a whole. */
  entryBytes: 512 * 1024,
} as const;

/** How many templates one activity reads: each is a call that takes its time, and a line of the result. */
export const TEMPLATE_PAGE = 250;

/** How many active templates, by id and name, one result holds: all that are listed are read by one call. */
export const ACTIVE_TEMPLATE_PAGE = 2_000;
