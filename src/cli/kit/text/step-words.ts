/** Steps of a plan in words for people. */
import type { PlannedStep, StepPhase } from '../../../contract/status';

export const PHASE_WORDS: Record<StepPhase, string> = {
  reversible: 'can be undone',
  lasting: 'stays, whatever happens',
  crossing: 'POINT OF NO RETURN',
  forward: 'only forward',
};

/** Whether a step is done. */
export function whenDone({ requirement, because = '' }: Pick<PlannedStep, 'requirement' | 'because'>): string {
  switch (requirement) {
    case 'mandatory':
      return 'always';
    case 'optional':
      return 'unless somebody declines it';
    case 'conditional':
      return `only for ${because}`;
  }
}
