export type ToolName = 'temporal' | 'java' | 'python' | 'osaapi' | 'powershell' | 'promtool' | 'prometheus';
export function missingTools(): Partial<Record<ToolName, string>>;
export function setMissing(reasons: Partial<Record<ToolName, string>>): void;
export function askedFor(file: string): { needs: ToolName[]; uses: ToolName[] };
export function requireKnown(file: string): void;
export function linesAbout(files: string[]): string[];
