/** For `npm test`: without the files that only `npm run test:all` runs (test/kit/extent.ts). */
module.exports = {
  ...require('./jest.config.cjs'),
  testPathIgnorePatterns: ['/node_modules/', '\\.full\\.test\\.ts$'],
};
