/** Compares what npm has installed with what package-lock.json asks for. */

/**
 * Names of packages that the lock asks for and that are not installed in that version. npm describes what it has
 * installed in node_modules/.package-lock.json; times of files would tell less, since a checkout changes them.
 *
 * @param lock parsed package-lock.json
 * @param installed parsed node_modules/.package-lock.json, or undefined where there is none
 * @param options `dev`: also those that only development and tests need
 */
function missingPackages(lock, installed, { dev }) {
  return Object.entries(lock.packages)
    .filter(([location, wanted]) => {
      // Optional ones are for some machines only; the project itself is the one without a location.
      if (location === '' || wanted.optional || wanted.devOptional || wanted.link || (wanted.dev && !dev)) return false;
      return installed?.packages[location]?.version !== wanted.version;
    })
    .map(([location]) => location.slice(location.lastIndexOf('node_modules/') + 'node_modules/'.length));
}

module.exports = { missingPackages };
