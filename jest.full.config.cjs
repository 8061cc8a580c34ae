/** For `npm run test:all`: every test that there is (test/kit/extent.ts). */
process.env.ONWARD_TESTS = 'all';

module.exports = require('./jest.config.cjs');
