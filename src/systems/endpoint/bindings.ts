import type { SiteBinding } from '../../contract/facts';

/** `10.0.0.5:443:host`, `*:443:` or `[::1]:443:` as IIS prints it; an empty address means all addresses (systems.md 4.3). */
export function parseBinding(information: string): SiteBinding {
  const [, address = '', port = '', hostHeader = ''] = /^(.*):(\d+):([^:]*)$/.exec(information) ?? [];
  return { address: address === '' ? '*' : address, port: Number(port), hostHeader };
}
