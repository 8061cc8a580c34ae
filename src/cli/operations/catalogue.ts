import { CATALOGUE } from '../../../workflows/releases';

/** Loaded only by commands that tell of releases: it brings the workflows' code. */
export const catalogue = CATALOGUE;
