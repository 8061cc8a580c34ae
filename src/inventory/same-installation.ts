/** Two entries for one installation would be upgraded side by side: they are told by the address of their Operations. */
import { describePlace, type Entry, type Problem } from './entry';

/**
 * The same for every spelling of one address: case of the host, default port, slash at the end, `/RPC2` or not (systems.md 1.1).
 * Other names for the same machine are seen only by the installation's own lock.
 */
export function addressOf(url: string): string | undefined {
  if (!URL.canParse(url)) return undefined;
  const { hostname, port, protocol, pathname } = new URL(url);
  const standard = protocol === 'https:' ? '443' : '80';
  const path = pathname
    .replace(/\/+$/, '')
    .replace(/\/RPC2$/i, '')
    .replace(/\/+$/, '');
  return `${hostname.replace(/\.$/, '')}:${port === '' ? standard : port}${path}`;
}

/** Whether the text of a file, read as nothing but text, has one of these addresses in it. */
export function mentions(text: string, addresses: ReadonlySet<string>): boolean {
  const urls = text.match(/https?:\/\/[^\s'"#,}\]]+/gi) ?? [];
  return urls.some((url) => addresses.has(addressOf(url) ?? ''));
}

/** A problem of each entry whose Operations an earlier one, of another id, has. */
export function sameInstallation(entries: readonly Entry[]): Problem[] {
  const first = new Map<string, Entry>();
  return entries.flatMap((entry) => {
    const { profile, file } = entry;
    const address = profile && addressOf(profile.operations.url);
    if (address === undefined) return [];
    const earlier = first.get(address);
    if (earlier === undefined) {
      first.set(address, entry);
      return [];
    }
    if (earlier.provider === entry.provider) return [];
    const field = ['operations', 'url'];
    const where = describePlace(earlier.file, earlier.lineOf(field));
    const message = `is the Operations of ${earlier.provider ?? 'the provider'} at ${where} as well: one installation has one entry; remove one of the two`;
    return [{ file, line: entry.lineOf(field), field: field.join('.'), message }];
  });
}
