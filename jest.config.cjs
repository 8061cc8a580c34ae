/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  globalSetup: '<rootDir>/test/global-setup.ts',
  reporters: ['default', '<rootDir>/tools/jest-counts.cjs'],
  testSequencer: '<rootDir>/tools/jest-longest-first.cjs',
  testMatch: ['<rootDir>/test/**/*.test.ts'],
  transform: {
    '^.+\\.ts$': [
      '@swc/jest',
      {
        jsc: { parser: { syntax: 'typescript' }, target: 'es2022' },
        module: { type: 'commonjs' },
        sourceMaps: 'inline',
      },
    ],
  },
  // A real Temporal server takes part in many tests, also on slow machines.
  testTimeout: 30_000,
  // Much of the time a test waits for the server, so two cores keep three at work.
  maxWorkers: 3,
};
