/** What the end-point URI of an application instance says about its gateway (procedure step 1, systems.md 4.1). */
export interface GatewayAddress {
  hostname: string;
  /** First path segment: the gateway application's name. */
  application: string;
}

/** `https://<hostname>/<application>/aps/`; undefined for anything else. */
export function parseEndpointUrl(url: string): GatewayAddress | undefined {
  const match = /^https:\/\/([^/:@\s]+)(?::443)?\/([^/?#%\s]+)\/aps\/?$/i.exec(url);
  const [, hostname, application] = match ?? [];
  return hostname === undefined || application === undefined
    ? undefined
    : { hostname: hostname.toLowerCase(), application };
}
