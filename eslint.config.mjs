import js from '@eslint/js';
import { defineConfig } from 'eslint/config';
import jest from 'eslint-plugin-jest';
import tseslint from 'typescript-eslint';
import { layers } from './tools/eslint-layers.mjs';

export default defineConfig(
  { ignores: ['node_modules/', 'dist/', 'dist-unfinished-*/', 'coverage/', '.onward/'] },
  { linterOptions: { reportUnusedDisableDirectives: 'error' } },
  js.configs.recommended,
  {
    files: ['**/*.ts'],
    extends: [tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { onward: { rules: { layers } } },
    rules: {
      'onward/layers': 'error',
      eqeqeq: ['error', 'always', { null: 'ignore' }],
      '@typescript-eslint/consistent-type-imports': 'error',
      // `async` is also how a function that throws keeps its promise to reject.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true, allowBoolean: true }],
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
    },
  },
  {
    // A workflow with local activities may fail on replay (docs/changing-a-workflow.md).
    files: ['workflows/**/*.ts'],
    rules: {
      'no-restricted-imports': [
        'error',
        {
          paths: [
            {
              name: '@temporalio/workflow',
              importNames: ['scheduleLocalActivity', 'proxyLocalActivities'],
              message: 'Use an activity: docs/changing-a-workflow.md says why.',
            },
          ],
        },
      ],
    },
  },
  {
    files: ['test/**/*.ts'],
    extends: [jest.configs['flat/recommended']],
    rules: {
      'jest/consistent-test-it': ['error', { fn: 'test', withinDescribe: 'test' }],
      'jest/expect-expect': ['error', { assertFunctionNames: ['expect', 'expect*'] }],
      'jest/no-conditional-expect': 'off',
      'jest/no-standalone-expect': ['error', { additionalTestBlockFunctions: ['testInFull', 'testInFull.each'] }],
      // Jest's matchers (`expect.any`, `expect.stringMatching`) are typed `any`, and activities are objects without `this`.
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/unbound-method': 'off',
      // The compiler judges test/types: a test there holds `@ts-expect-error` lines.
      '@typescript-eslint/ban-ts-comment': ['error', { 'ts-expect-error': 'allow-with-description' }],
    },
  },
  {
    // What is expected not to compile has no type.
    files: ['test/types/*.fixture.ts'],
    rules: { '@typescript-eslint/no-unsafe-call': 'off' },
  },
  {
    files: ['**/*.{mjs,cjs}'],
    languageOptions: {
      globals: Object.fromEntries(
        [
          'console',
          'process',
          'URL',
          'module',
          'require',
          '__dirname',
          'setTimeout',
          'clearTimeout',
          'fetch',
          'AbortSignal',
          'performance',
        ].map((name) => [name, 'readonly']),
      ),
    },
  },
);
