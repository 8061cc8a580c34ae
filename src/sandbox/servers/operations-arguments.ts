/** Named arguments of a `pem.*` method: declared once, checked as strictly as the management node does, and typed. */
import { isStruct, type XmlRpcValue } from '../../systems/xmlrpc';
import type { Struct } from './xmlrpc-server';

interface Types {
  int: number;
  string: string;
  boolean: boolean;
  base64: Buffer;
  array: XmlRpcValue[];
  struct: Struct;
}
type TypeName = keyof Types;

/** `int`, or `int?` for one that may be left out. */
export type Declaration = Record<string, TypeName | `${TypeName}?`>;

export type Arguments<D extends Declaration> = {
  [K in keyof D]: D[K] extends `${infer T extends TypeName}?`
    ? Types[T] | undefined
    : D[K] extends TypeName
      ? Types[D[K]]
      : never;
};

const MATCHES: { [T in TypeName]: (value: XmlRpcValue) => boolean } = {
  int: (value) => typeof value === 'number' && Number.isInteger(value),
  string: (value) => typeof value === 'string',
  // Documented as 1 and 0 of the type boolean (systems.md 1.1).
  boolean: (value) => typeof value === 'boolean',
  base64: (value) => Buffer.isBuffer(value),
  array: (value) => Array.isArray(value),
  struct: isStruct,
};

/** Everything that is wrong with `given`; empty where it fits. Assumption: arguments that are not declared are refused. */
export function problems(declaration: Declaration, given: Struct): string[] {
  const found: string[] = [];
  for (const [name, declared] of Object.entries(declaration)) {
    const optional = declared.endsWith('?');
    const type = (optional ? declared.slice(0, -1) : declared) as TypeName;
    const value = given[name];
    if (value === undefined) {
      if (!optional) found.push(`Parameter '${name}' is required.`);
    } else if (!MATCHES[type](value)) {
      found.push(`Parameter '${name}' must be of type ${type}.`);
    }
  }
  for (const name of Object.keys(given)) {
    if (!(name in declaration)) found.push(`Parameter '${name}' is unknown.`);
  }
  return found;
}
