import { DOMParser, type Document } from '@xmldom/xmldom';
import { redact } from '../inventory/secrets';

/** The text is not the XML that was expected. */
export class MalformedXml extends Error {
  override readonly name: string = 'MalformedXml';
}

/**
 * Parses strictly: any warning of the parser is an error, and so is a document type declaration, which no system sends and
 * which entities could hide in.
 */
export function parseXml(text: string): Document {
  let problem: string | undefined;
  const onError = (level: string, message: string): never => {
    problem ??= redact(message).split('\n', 1)[0];
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
