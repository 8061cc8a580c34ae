/** Secrets that are recognised wherever they come to light: whole or in half, in clear or encoded. */
import { randomBytes } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';

export class Canary {
  /** Letters and digits that no escaping changes. */
  private readonly core = randomBytes(12).toString('hex');
  /** The secret: with what URLs, forms, JSON, XML and shells escape. */
  readonly value: string;

  constructor(
    readonly name: string,
    shape: (core: string) => string = (core) => `p<&"w' +/=%${core}\\;`,
  ) {
    this.value = shape(this.core);
  }

  /** The ways in which these bytes tell of it. */
  tracesIn(bytes: Buffer): string[] {
    return Object.entries(formsOf(this.core))
      .filter(([, form]) => bytes.includes(form))
      .map(([form]) => `${this.name} ${form}`);
  }
}

/** Written here once more, so that what `redact` forgets is not forgotten twice. */
function formsOf(core: string): Record<string, Buffer> {
  const half = core.length / 2;
  const forms: Record<string, Buffer> = {
    'first half': Buffer.from(core.slice(0, half)),
    'second half': Buffer.from(core.slice(half)),
    'in UTF-16': Buffer.from(core, 'utf16le'),
    'in hex': Buffer.from(Buffer.from(core).toString('hex')),
    'in HEX': Buffer.from(Buffer.from(core).toString('hex').toUpperCase()),
    backwards: Buffer.from([...core].reverse().join('')),
  };
  for (const before of [0, 1, 2]) {
    for (const encoding of ['base64', 'base64url'] as const) {
      // Three bytes make four digits: whole groups only, since those at the edges depend on the neighbours.
      const digits = Buffer.from(`${'~'.repeat(before)}${core}`).toString(encoding);
      forms[`in ${encoding} after ${before}`] = Buffer.from(digits.slice(before === 0 ? 0 : 4, 28));
    }
  }
  return forms;
}

/** Every file below the folder, as bytes, by its path from there. */
export async function filesBelow(
  folder: string,
  except: (file: string) => boolean = () => false,
): Promise<Map<string, Buffer>> {
  const found = new Map<string, Buffer>();
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    const file = path.join(entry.parentPath, entry.name);
    const name = path.relative(folder, file);
    if (entry.isFile() && !except(name)) found.set(name, await readFile(file));
  }
  return found;
}
