export interface EarlyActivities {
  fail(): Promise<void>;
  afterFailure(): Promise<void>;
  afterMessage(): Promise<void>;
}
