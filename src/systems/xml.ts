import { DOMParser, type Document } from '@xmldom/xmldom';
import { redact } from '../inventory/secrets';

/** The text is not the XML that was expected. */
export class MalformedXml extends Error {
  override readonly name: string = 'MalformedXml';
}

/**
 * The longest text that is parsed, in characters: 64 MiB of data in base64, broken into lines, with room around them. What is sent
 * over HTTP is held to as many bytes.
 */
export const MOST_XML = 96 * 1024 * 1024;
/** Tags, comments and sections: some 20 for each of 20,000 list entries. A parser keeps an object for each. */
const MOST_MARKUP = 1_000_000;
/** XML-RPC has none, and the parser's work grows with the square of the namespaces that are declared. */
const MOST_ATTRIBUTES = 1_000;
/** Of elements: four for each of the values that XML-RPC may nest. */
const MOST_DEPTH = 300;
const LONGEST_PROBLEM = 300;

/**
 * Parses strictly: any warning of the parser is an error, and so is a document type declaration, which no system sends and
 * which entities could hide in. In a time that grows with the text and no faster, whoever wrote it.
 */
export function parseXml(text: string): Document {
  expectOrdinary(text);
  let problem: string | undefined;
  const onError = (level: string, message: string): never => {
    problem ??= redact(message).split('\n', 1)[0]?.slice(0, LONGEST_PROBLEM);
    throw new MalformedXml(level);
  };
  let document: Document;
  try {
    // Real servers put a byte order mark or empty lines before the declaration.
    document = new DOMParser({ onError, locator: false }).parseFromString(text.trimStart(), 'text/xml');
  } catch (error) {
    throw new MalformedXml(
      `not well-formed XML: ${problem ?? (error instanceof Error ? error.message : String(error))}`,
    );
  }
  if (document.doctype) throw new MalformedXml('a document type declaration is not allowed');
  return document;
}

/** Byte order marks, and how `<` begins a document in two bytes where there is none. */
const BY_FIRST_BYTES: readonly [string, string][] = [
  ['efbbbf', 'utf-8'],
  ['fffe', 'utf-16le'],
  ['feff', 'utf-16be'],
  ['3c00', 'utf-16le'],
  ['003c', 'utf-16be'],
];
const DECLARATION_BYTES = 200;

/**
 * The text of a document, read as XML processors do: the byte order mark, then the encoding that the document declares, then UTF-8. The
 * charset of the HTTP header has a say only where those cannot be right. What no encoding reads becomes replacement characters.
 */
export function decodeXmlText(bytes: Uint8Array, contentType: string | undefined): string {
  const start = Buffer.from(bytes.subarray(0, DECLARATION_BYTES));
  const [, marked] = BY_FIRST_BYTES.find(([first]) => start.toString('hex').startsWith(first)) ?? [];
  const declared = /^\s*<\?xml\s[^>]*?encoding\s*=\s*["']([\w.:-]+)["']/.exec(start.toString('latin1'))?.[1];
  // Whoever declares it in single bytes does not use it.
  const possible = /^utf-?(16|32)|^(iso-10646-)?ucs/i.test(declared ?? '') ? undefined : declared;
  const charset = /charset="?([\w.:-]+)/i.exec(contentType ?? '')?.[1];
  for (const encoding of marked ? [marked] : [possible, 'utf-8', charset]) {
    const text = encoding === undefined ? undefined : decodeExactly(bytes, encoding);
    if (text !== undefined) return text;
  }
  return new TextDecoder(marked).decode(bytes);
}

/** Undefined where the encoding is unknown, or is not that of the bytes. */
function decodeExactly(bytes: Uint8Array, encoding: string): string | undefined {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code?.startsWith('ERR_ENCODING_')) return undefined;
    throw error;
  }
}

/** What is not markup although it may look like it. */
const SECTIONS = [
  ['<!--', '-->'],
  ['<![CDATA[', ']]>'],
  ['<?', '?>'],
] as const;

/** Refuses what would keep the parser busy out of proportion, before it begins. Whether it is well-formed is the parser's to say. */
function expectOrdinary(text: string): void {
  const atMost = (found: number, most: number, what: string): void => {
    if (found > most) throw new MalformedXml(`more than ${most} ${what}, which no answer needs`);
  };
  atMost(text.length, MOST_XML, 'characters');
  let [markup, attributes, depth] = [0, 0, 0];
  for (let at = text.indexOf('<'); at !== -1; at = text.indexOf('<', at)) {
    atMost(++markup, MOST_MARKUP, 'tags');
    const section = SECTIONS.find(([begin]) => text.startsWith(begin, at));
    const tag = section ? undefined : readTag(text, at);
    const end = section ? text.indexOf(section[1], at) : tag?.end;
    if (end === undefined || end === -1) return;
    attributes += tag?.attributes ?? 0;
    atMost(attributes, MOST_ATTRIBUTES, 'attributes');
    depth += tag?.deeper ?? 0;
    atMost(depth, MOST_DEPTH, 'elements within each other');
    at = end + 1;
  }
}

const [QUOTE, APOSTROPHE, GREATER] = [0x22, 0x27, 0x3e];

/** Undefined where the tag does not end. */
function readTag(text: string, start: number): { end: number; attributes: number; deeper: number } | undefined {
  let attributes = 0;
  for (let at = start + 1; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === GREATER) {
      const deeper = text[start + 1] === '/' ? -1 : text[at - 1] === '/' ? 0 : 1;
      return { end: at, attributes, deeper };
    }
    if (code !== QUOTE && code !== APOSTROPHE) continue;
    attributes += 1;
    at = text.indexOf(text.charAt(at), at + 1);
    if (at === -1) return undefined;
  }
  return undefined;
}
