/** The workflow's own time, ISO 8601. */
export const now = (): string => new Date().toISOString();
