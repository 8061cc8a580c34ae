/**
 * XML-RPC 1.0 as Operations and Billing speak it (systems.md 1.1, 3.1): text in, values out, no transport.
 *
 * `bigint` of the vendor's reference travels as a string, so it is a string here too.
 */
import type { Element, Node } from '@xmldom/xmldom';
import { redact } from '../inventory/secrets';
import { MalformedXml, parseXml } from './xml';

export type XmlRpcValue =
  | string
  | number
  | boolean
  | Buffer
  | Date
  | null
  | LongInteger
  | Unreadable
  | XmlRpcValue[]
  | { [name: string]: XmlRpcValue };

/** An integer that is no `i4`, or does not fit into one: kept as it came, so that an identifier goes back unchanged. */
export class LongInteger {
  constructor(
    readonly type: 'int' | 'i4' | 'i8',
    readonly digits: string,
  ) {}

  toString(): string {
    return this.digits;
  }
}

/** A value that breaks the rules of its type. It spoils nothing but itself: only who reads it fails, with these words. */
export class Unreadable {
  constructor(
    readonly problem: string,
    /** What stood there, where it was no more than text. */
    readonly text?: string,
  ) {}
}

/** The server answered with a `<fault>`: it did not process the call (systems.md 1.2). */
export class XmlRpcFault extends Error {
  override readonly name = 'XmlRpcFault';
  constructor(
    /** Empty where the server names none. */
    readonly code: number | string,
    readonly text: string,
  ) {
    super(`XML-RPC fault ${code}: ${text}`);
  }
}

/** The text is not an XML-RPC document. */
export class MalformedXmlRpc extends Error {
  override readonly name = 'MalformedXmlRpc';
}

/** What one value breaks, and the document does not. */
class BrokenRule extends MalformedXmlRpc {
  constructor(
    message: string,
    readonly text?: string,
  ) {
    super(message);
  }
}

/** Deeper values than this are refused, so that a hostile answer cannot exhaust the stack. */
const MAX_DEPTH = 64;
const INT32_MIN = -(2 ** 31);
const INT32_MAX = 2 ** 31 - 1;
const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>';

/** Throws a RangeError for what XML-RPC cannot carry: integers beyond 32 bits, control characters, too deep values. */
export function encodeCall(method: string, params: XmlRpcValue[]): string {
  const encoded = params.map((param) => `<param>${encodeValue(param, 0)}</param>`).join('');
  return `${XML_DECLARATION}<methodCall><methodName>${encodeText(method)}</methodName><params>${encoded}</params></methodCall>`;
}

export function encodeResponse(value: XmlRpcValue): string {
  return `${XML_DECLARATION}<methodResponse><params><param>${encodeValue(value, 0)}</param></params></methodResponse>`;
}

export function encodeFault(code: number | string, text: string): string {
  const fault = encodeValue({ faultCode: code, faultString: text }, 0);
  return `${XML_DECLARATION}<methodResponse><fault>${fault}</fault></methodResponse>`;
}

/** Throws {@link MalformedXmlRpc}. */
export function decodeCall(xml: string): { method: string; params: XmlRpcValue[] } {
  const call = parse(xml, 'methodCall');
  const method = textOf(only(call, 'methodName')).trim();
  if (method === '') throw new MalformedXmlRpc('<methodName> is empty');
  const params = elements(call).find((child) => child.localName === 'params');
  return {
    method,
    params: params ? elements(params, 'param').map((param) => decodeValue(only(param, 'value'), 0)) : [],
  };
}

/** Throws {@link XmlRpcFault} for a fault and {@link MalformedXmlRpc} for anything that is no answer. */
export function decodeResponse(xml: string): XmlRpcValue {
  const response = parse(xml, 'methodResponse');
  const [content, ...others] = elements(response);
  const fault = [content, ...others].find((element) => element?.localName === 'fault');
  if (fault) throw decodeFault(fault);
  if (!content || others.length > 0) {
    throw new MalformedXmlRpc('<methodResponse> must hold exactly one element, <params> or <fault>');
  }
  if (content.localName !== 'params') {
    throw new MalformedXmlRpc(`<methodResponse> holds <${content.tagName}>, expected <params> or <fault>`);
  }
  const value = decodeValue(only(only(content, 'param'), 'value'), 0);
  if (value instanceof Unreadable) throw new MalformedXmlRpc(value.problem);
  return value;
}

/** Whatever stands in it, a fault says that the call was not processed. Where it breaks the rules, all its text is its words. */
function decodeFault(element: Element): XmlRpcFault {
  const value = unlessBroken(() => decodeValue(only(element, 'value'), 0));
  const { faultCode, faultString } = isStruct(value) ? value : { faultCode: undefined, faultString: value };
  const words = faultString === '' ? '' : wordsOf(faultString) || wordsOf(element.textContent?.replace(/\s+/g, ' '));
  return new XmlRpcFault(typeof faultCode === 'number' ? faultCode : wordsOf(faultCode), words);
}

/** A scalar as text; empty for everything else. */
export function wordsOf(value: unknown): string {
  if (value instanceof LongInteger) return value.digits;
  if (Buffer.isBuffer(value)) return value.toString('utf8').trim();
  return typeof value === 'string' || typeof value === 'number' ? String(value).trim() : '';
}

export function isStruct(value: XmlRpcValue | undefined): value is { [name: string]: XmlRpcValue } {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return ![Buffer, Date, LongInteger, Unreadable].some((kind) => value instanceof kind);
}
const isBinary = (value: object): value is Buffer => Buffer.isBuffer(value);
const isDate = (value: object): value is Date => value instanceof Date;

function encodeValue(value: XmlRpcValue, depth: number): string {
  if (depth > MAX_DEPTH) throw new RangeError(`cannot encode a value nested deeper than ${MAX_DEPTH} levels`);
  return `<value>${encodeContent(value, depth)}</value>`;
}

function encodeContent(value: XmlRpcValue, depth: number): string {
  if (value === null) return '<nil/>';
  switch (typeof value) {
    case 'string':
      return `<string>${encodeText(value)}</string>`;
    case 'boolean':
      return `<boolean>${value ? 1 : 0}</boolean>`;
    case 'number':
      return encodeNumber(value);
    case 'object':
      break;
    default:
      throw new RangeError(`cannot encode a value of type ${typeof value}`);
  }
  if (Array.isArray(value)) {
    return `<array><data>${value.map((item) => encodeValue(item, depth + 1)).join('')}</data></array>`;
  }
  if (isBinary(value)) return `<base64>${value.toString('base64')}</base64>`;
  if (isDate(value)) return `<dateTime.iso8601>${encodeDate(value)}</dateTime.iso8601>`;
  if (value instanceof LongInteger) return `<${value.type}>${value.digits}</${value.type}>`;
  if (value instanceof Unreadable) throw new RangeError(`cannot encode what could not be read: ${value.problem}`);
  const members = Object.entries(value).map(
    ([name, member]) => `<member><name>${encodeText(name)}</name>${encodeValue(member, depth + 1)}</member>`,
  );
  return `<struct>${members.join('')}</struct>`;
}

function encodeNumber(value: number): string {
  if (!Number.isFinite(value)) throw new RangeError(`cannot encode the number ${value}`);
  if (!Number.isInteger(value)) return `<double>${value}</double>`;
  if (value < INT32_MIN || value > INT32_MAX) {
    throw new RangeError(`cannot encode ${value}: integers have 32 bits, larger ones travel as strings`);
  }
  return `<i4>${value}</i4>`;
}

function encodeDate(value: Date): string {
  if (Number.isNaN(value.getTime())) throw new RangeError('cannot encode an invalid date');
  return value.toISOString().replaceAll('-', '').slice(0, 'YYYYMMDDTHH:MM:SS'.length);
}

const ESCAPES: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '\r': '&#13;' };
/** What XML 1.0 has no notation for, not even an escaped one. */
const NOT_XML = /(?![\t\n\r\u007F-\u009F])\p{Cc}|[\uFFFE\uFFFF]|\p{Surrogate}/u;

function encodeText(text: string): string {
  const forbidden = NOT_XML.exec(text);
  if (forbidden) {
    const code = forbidden[0].charCodeAt(0).toString(16).toUpperCase().padStart(4, '0');
    throw new RangeError(`cannot encode the character U+${code} at position ${forbidden.index}: XML does not allow it`);
  }
  return text.replace(/[&<>\r]/g, (character) => ESCAPES[character] ?? character);
}

function decodeValue(value: Element, depth: number): XmlRpcValue {
  if (depth > MAX_DEPTH) return new Unreadable(`values are nested deeper than ${MAX_DEPTH} levels`);
  return unlessBroken(() => decodeContent(value, depth));
}

function decodeContent(value: Element, depth: number): XmlRpcValue {
  const [type, ...others] = elements(value, undefined, 'bareTextAllowed');
  if (!type) return textOf(value);
  if (others.length > 0) throw new BrokenRule('<value> holds more than one element');
  if (ownText(value).trim() !== '') throw new BrokenRule('<value> holds text beside an element');
  switch (type.localName) {
    case 'string':
      return textOf(type);
    case 'int':
    case 'i4':
    case 'i8':
      return decodeInteger(type, type.localName);
    case 'boolean':
      return decodeBoolean(type);
    case 'double':
      return decodeDouble(type);
    case 'base64':
      return decodeBase64(type);
    case 'dateTime.iso8601':
      return decodeDate(type);
    case 'nil':
      return null;
    case 'array':
      return elements(only(type, 'data'), 'value').map((item) => decodeValue(item, depth + 1));
    case 'struct':
      return decodeStruct(type, depth);
    default:
      throw new BrokenRule(`<${type.tagName}> is no type of XML-RPC`);
  }
}

/** Without a prototype, so that a member called `__proto__` is a member like any other. */
function decodeStruct(struct: Element, depth: number): XmlRpcValue {
  const value = Object.create(null) as { [name: string]: XmlRpcValue };
  for (const member of elements(struct)) {
    const name = nameOf(member);
    // Nobody can ask for it.
    if (name === undefined) continue;
    value[name] =
      name in value
        ? new Unreadable(`the struct has the member '${name}' twice`)
        : unlessBroken(() => decodeValue(only(member, 'value'), depth + 1));
  }
  return value;
}

function nameOf(member: Element): string | undefined {
  try {
    return member.localName === 'member' ? textOf(only(member, 'name')) : undefined;
  } catch (error) {
    if (error instanceof BrokenRule) return undefined;
    throw error;
  }
}

function unlessBroken(decode: () => XmlRpcValue): XmlRpcValue {
  try {
    return decode();
  } catch (error) {
    if (error instanceof BrokenRule) return new Unreadable(error.message, error.text);
    throw error;
  }
}

function decodeInteger(element: Element, type: LongInteger['type']): number | LongInteger {
  return decodeByPattern(element, /^[+-]?\d+$/, (digits) => {
    const value = Number(digits);
    return type === 'i8' || value < INT32_MIN || value > INT32_MAX ? new LongInteger(type, digits) : value;
  });
}

function decodeBoolean(element: Element): boolean {
  return decodeByPattern(element, /^[01]$/, (text) => text === '1');
}

function decodeDouble(element: Element): number {
  return decodeByPattern(element, /^[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?$/, Number);
}

function decodeBase64(element: Element): Buffer {
  const text = textOf(element).replace(/\s/g, '');
  if (text.length % 4 !== 0 || !/^[A-Za-z0-9+/]*={0,2}$/.test(text)) {
    throw new BrokenRule('<base64> holds something else than base64');
  }
  return Buffer.from(text, 'base64');
}

/** XML-RPC dates name no time zone; they are taken as UTC. */
function decodeDate(element: Element): Date {
  const pattern = /^(\d{4})-?(\d{2})-?(\d{2})T(\d{2}):(\d{2}):(\d{2})Z?$/;
  const date = decodeByPattern(element, pattern, (text) => new Date(text.replace(pattern, '$1-$2-$3T$4:$5:$6Z')));
  if (Number.isNaN(date.getTime())) throw new BrokenRule(`<${element.tagName}> holds no date: ${textOf(element)}`);
  return date;
}

function decodeByPattern<T>(element: Element, pattern: RegExp, convert: (text: string) => T): T {
  const text = textOf(element).trim();
  if (!pattern.test(text)) {
    throw new BrokenRule(`<${element.tagName}> cannot hold '${redact(text).slice(0, 40)}'`, text);
  }
  return convert(text);
}

function parse(xml: string, root: string): Element {
  const element = documentElement(xml);
  if (!element || element.localName !== root) {
    throw new MalformedXmlRpc(`expected <${root}>, found ${element ? `<${element.tagName}>` : 'no element'}`);
  }
  return element;
}

function documentElement(xml: string): Element | null {
  try {
    return parseXml(xml).documentElement;
  } catch (error) {
    throw error instanceof MalformedXml ? new MalformedXmlRpc(error.message) : error;
  }
}

/** The element's children; anything but elements of that name, comments and white space between them is an error. */
function elements(parent: Element, name?: string, text?: 'bareTextAllowed'): Element[] {
  if (!text && ownText(parent).trim() !== '') throw new BrokenRule(`<${parent.tagName}> holds text`);
  const children = childNodes(parent).filter((node): node is Element => node.nodeType === node.ELEMENT_NODE);
  const stranger = name === undefined ? undefined : children.find((child) => child.localName !== name);
  if (stranger) throw new BrokenRule(`<${parent.tagName}> holds <${stranger.tagName}>, expected <${name}>`);
  return children;
}

function only(parent: Element, name: string): Element {
  const found = elements(parent).filter((child) => child.localName === name);
  const [element] = found;
  if (!element || found.length > 1) {
    throw new BrokenRule(`<${parent.tagName}> must hold exactly one <${name}>, found ${found.length}`);
  }
  return element;
}

/** Text of an element that may hold nothing else. */
function textOf(element: Element): string {
  const [child] = elements(element, undefined, 'bareTextAllowed');
  if (child) throw new BrokenRule(`<${element.tagName}> holds <${child.tagName}>, expected text`);
  return ownText(element);
}

function ownText(element: Element): string {
  return childNodes(element)
    .filter((node) => node.nodeType === node.TEXT_NODE || node.nodeType === node.CDATA_SECTION_NODE)
    .map((node) => node.nodeValue ?? '')
    .join('');
}

function childNodes(parent: Element): Node[] {
  const nodes: Node[] = [];
  for (let node = parent.firstChild; node; node = node.nextSibling) nodes.push(node);
  return nodes;
}
