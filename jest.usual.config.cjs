/** For `npm test`: of each kind what would be missed most (test/kit/extent.ts). Jest alone, and `npm run test:all`, run everything. */
process.env.ONWARD_TESTS = 'usual';

module.exports = {
  ...require('./jest.config.cjs'),
  testPathIgnorePatterns: ['/node_modules/', '\\.full\\.test\\.ts$'],
};
