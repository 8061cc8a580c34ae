import path from 'node:path';
import ts from 'typescript';

const ROOT = path.resolve(__dirname, '..', '..');

function diagnosticsOf(file: string): string[] {
  const { config } = ts.readConfigFile(path.join(ROOT, 'tsconfig.json'), (name) => ts.sys.readFile(name)) as {
    config: { compilerOptions: object };
  };
  const { options } = ts.convertCompilerOptionsFromJson(config.compilerOptions, ROOT);
  const program = ts.createProgram([file], options);
  return ts
    .getPreEmitDiagnostics(program)
    .map((diagnostic) => `${diagnostic.start ?? 0}: ${ts.flattenDiagnosticMessageText(diagnostic.messageText, '\n')}`);
}

describe('the builder of upgrade paths', () => {
  test('accepts the procedure and refuses every path that would undo past the crossing, misorder steps or leave some out', () => {
    expect(diagnosticsOf(path.join(__dirname, 'upgrade-path.fixture.ts'))).toEqual([]);
  });
});
