/**
 * The search attributes of upgrades and of guards of consents (design section 6). Values are never encrypted: ids and states only.
 *
 * Used by workflows, clients and servers alike, hence no import but `@temporalio/common`.
 */
import { defineSearchAttributeKey, SearchAttributeType } from '@temporalio/common';

export const providerAttribute = defineSearchAttributeKey('OnwardProvider', SearchAttributeType.KEYWORD);
/** `18.3 -> 18.4.1` */
export const pathAttribute = defineSearchAttributeKey('OnwardPath', SearchAttributeType.KEYWORD);
/** Name of the step that runs or waits. */
export const stepAttribute = defineSearchAttributeKey('OnwardStep', SearchAttributeType.KEYWORD);
/** One of `UPGRADE_STATES`; of a fleet, one of `FLEET_STATES`; of the guard of a consent, one of `CONSENT_STATES`. */
export const stateAttribute = defineSearchAttributeKey('OnwardState', SearchAttributeType.KEYWORD);
export const fleetAttribute = defineSearchAttributeKey('OnwardFleet', SearchAttributeType.KEYWORD);
/** Of waves and of upgrades that a fleet has started; counted from 1. */
export const waveAttribute = defineSearchAttributeKey('OnwardWave', SearchAttributeType.INT);
/** The point of no return is passed. */
export const crossedAttribute = defineSearchAttributeKey('OnwardCrossed', SearchAttributeType.BOOL);
/** Another upgrade may have this one's endpoint hosts: its instances are upgraded, and no iisreset can hurt them any more. */
export const hostsFreeAttribute = defineSearchAttributeKey('OnwardHostsFree', SearchAttributeType.BOOL);
/** Gates and holds that wait for a person. */
export const openGatesAttribute = defineSearchAttributeKey('OnwardOpenGates', SearchAttributeType.INT);

/** Everything that a server has to have registered before the first upgrade starts. */
export const SEARCH_ATTRIBUTES = [
  providerAttribute,
  pathAttribute,
  stepAttribute,
  stateAttribute,
  fleetAttribute,
  waveAttribute,
  crossedAttribute,
  hostsFreeAttribute,
  openGatesAttribute,
] as const;
