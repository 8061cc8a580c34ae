const { slowness } = require('./test/kit/slowness.cjs');

/** For every test and every hook, on a quiet machine: it ends what hangs, and says nothing about speed. */
const DEADLINE_MS = 600_000;

/** How long a process of Jest may take to end once its tests are over. Jest's half a second is too little where others are at work; what keeps one alive is told all the same. */
const ENDS_WITHIN_MS = 10_000;

/** @type {import('jest').Config} */
module.exports = {
  testEnvironment: 'node',
  globalSetup: '<rootDir>/test/global-setup.ts',
  globalTeardown: '<rootDir>/test/kit/temporal-server.ts',
  setupFilesAfterEnv: ['<rootDir>/test/skip-without-tools.ts'],
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
  testTimeout: DEADLINE_MS * slowness(),
  workerGracefulExitTimeout: ENDS_WITHIN_MS * slowness(),
  // Much of the time a test waits for the server, so two cores keep three at work.
  maxWorkers: 3,
};
