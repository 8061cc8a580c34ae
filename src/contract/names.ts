/** Names of IIS and DNS: both ignore case, and DNS the dot that ends a full name. */
export const sameName = (one: string, other: string): boolean => plain(one) === plain(other);

const plain = (name: string): string => name.trim().replace(/\.$/, '').toLowerCase();
