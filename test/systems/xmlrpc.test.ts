import { decodeXmlText } from '../../src/systems/xml';
import {
  LongInteger,
  MalformedXmlRpc,
  Unreadable,
  XmlRpcFault,
  decodeCall,
  decodeResponse,
  encodeCall,
  encodeFault,
  encodeResponse,
  type XmlRpcValue,
} from '../../src/systems/xmlrpc';
import { testInFull } from '../kit/extent';

const answer = (value: string) => `<methodResponse><params><param>${value}</param></params></methodResponse>`;
const decoded = (value: string) => decodeResponse(answer(value));

describe('values survive a round trip', () => {
  const values: [string, XmlRpcValue][] = [
    ['text with markup, quotes and emoji', '<a href="x">&amp;</a> \'é\' 😀'],
    ['white space at both ends, tabs and line ends of every kind', ' \t a\r\nb\rc\n '],
    ['empty text', ''],
    ['the smallest and the largest integer', [-2147483648, 2147483647]],
    ['fractions', [0.1, -1.5e-9]],
    ['booleans and nil', [true, false, null]],
    ['bytes', Buffer.from([0, 255, 10])],
    ['a moment', new Date('2019-02-04T10:11:12Z')],
    ['empty containers', { list: [], struct: {} }],
    ['containers in containers', { a: [{ b: [1, 'two', { c: null }] }] }],
  ];
  test.each(values)('%s', (_, value) => {
    expect(decodeResponse(encodeResponse(value))).toEqual(value);
    expect(decodeCall(encodeCall('system.test', [value]))).toEqual({ method: 'system.test', params: [value] });
  });
});

describe('answers as real servers write them', () => {
  test.each([
    ['a value without a type is text, white space included', '<value> a b </value>', ' a b '],
    ['an empty value is empty text', '<value/>', ''],
    ['an empty string element is empty text', '<value><string/></value>', ''],
    ['white space around a typed value does not count', '<value>\n <int> 7 </int>\n</value>', 7],
    ['nil is understood', '<value><nil/></value>', null],
    ['text may come in CDATA sections', '<value><![CDATA[<x>]]>&amp;<!-- no text --></value>', '<x>&'],
    ['base64 may be broken into lines', '<value><base64>aGVs\n  bG8=</base64></value>', Buffer.from('hello')],
    [
      'dates may have dashes',
      '<value><dateTime.iso8601>2019-02-04T10:11:12Z</dateTime.iso8601></value>',
      new Date('2019-02-04T10:11:12Z'),
    ],
  ])('%s', (_, xml, value) => expect(decoded(xml)).toEqual(value));

  test('a byte order mark and empty lines before the declaration do not matter', () => {
    expect(decodeResponse(`\uFEFF\n\n<?xml version="1.0"?>\n${answer('<value>x</value>')}\n`)).toBe('x');
  });

  test('a call without parameters may leave them out', () => {
    expect(decodeCall('<methodCall><methodName> a.b </methodName></methodCall>')).toEqual({
      method: 'a.b',
      params: [],
    });
  });
});

describe('faults', () => {
  test('are thrown with code and text', () => {
    expect(() => decodeResponse(encodeFault(-32601, 'no such <method>'))).toThrow(
      new XmlRpcFault(-32601, 'no such <method>'),
    );
  });

  test.each([
    [
      'a code that is text',
      '<struct>CODE<string>Server.Busy</string>TEXT<string>oops</string></struct>',
      'Server.Busy',
    ],
    ['no code', '<struct>TEXT<string>oops</string></struct>', ''],
    ['a code that is none', '<struct>CODE<i4/>TEXT<string>oops</string></struct>', ''],
    ['nothing but a text', '<string>oops</string>', ''],
  ])('with %s are faults all the same, and keep their words', (_, value, code) => {
    const member = (name: string) => `</value></member><member><name>${name}</name><value>`;
    const xml = value
      .replace('CODE', `${member('faultCode')}`)
      .replace('TEXT', `${member('faultString')}`)
      .replace('<struct></value></member>', '<struct>')
      .replace('</struct>', '</value></member></struct>');
    const decoding = () => decodeResponse(`<methodResponse><fault><value>${xml}</value></fault></methodResponse>`);
    expect(decoding).toThrow(expect.objectContaining({ code, text: 'oops' }) as Error);
  });
});

test.each<[string, string, string]>([
  ['nothing', '<fault/>', ''],
  ['a text alone', '<fault>no such method</fault>', 'no such method'],
  [
    'a struct without its value',
    '<fault><struct><member><name>a</name><value>oops</value></member></struct></fault>',
    'oops',
  ],
  [
    'a text within a struct',
    '<fault><value><struct><member><name>faultString</name><value><struct><member><name>a</name><value>oops</value></member></struct></value></member></struct></value></fault>',
    'oops',
  ],
  ['an answer beside it', '<params/><fault><value>oops</value></fault>', 'oops'],
])('a fault with %s is a fault all the same', (_, content, words) => {
  const decoding = () => decodeResponse(`<methodResponse>${content}</methodResponse>`);
  expect(decoding).toThrow(XmlRpcFault);
  expect(decoding).toThrow(expect.objectContaining({ text: expect.stringContaining(words) as string }) as Error);
});

describe('a value that breaks the rules of its type spoils nothing but itself', () => {
  test.each([
    ['a double that is no number', '<double>NaN</double>', "cannot hold 'NaN'"],
    ['an empty date', '<dateTime.iso8601/>', "cannot hold ''"],
    ['an array without data', '<array/>', 'exactly one <data>'],
    ['an unknown type', '<i16>7</i16>', 'no type of XML-RPC'],
    ['base64 that is none', '<base64>a*b=</base64>', 'something else than base64'],
    ['text beside a type', '7<i4>7</i4>', 'text beside an element'],
  ])('%s', (_, odd, problem) => {
    const member = (name: string, value: string) => `<member><name>${name}</name><value>${value}</value></member>`;
    const value = decoded(`<value><struct>${member('odd', odd)}${member('status', '<i4>0</i4>')}</struct></value>`);
    expect(value).toMatchObject({ status: 0, odd: expect.any(Unreadable) as Unreadable });
    expect((value as { odd: Unreadable }).odd.problem).toContain(problem);
  });

  test.each([
    ['has no name', '<member><value>7</value></member>'],
    ['is empty', '<member/>'],
    ['has two names', '<member><name>b</name><name>c</name><value>7</value></member>'],
    ['is none', '<extra>7</extra>'],
  ])('a member that %s is one that nobody can ask for', (_, odd) => {
    const value = decoded(`<value><struct>${odd}<member><name>a</name><value>1</value></member></struct></value>`);
    expect({ ...(value as object) }).toEqual({ a: '1' });
  });

  test('values nested beyond reason', () => {
    const deep = '<value><array><data>'.repeat(66) + '</data></array></value>'.repeat(66);
    const member = (name: string, value: string) => `<member><name>${name}</name>${value}</member>`;
    const value = decoded(`<value><struct>${member('deep', deep)}${member('a', '<value>1</value>')}</struct></value>`);
    expect(value).toMatchObject({ a: '1' });
  });

  test('a member twice is neither of both', () => {
    const member = '<member><name>a</name><value>1</value></member>';
    const value = decoded(`<value><struct>${member}${member}<member><name>b</name><value/></member></struct></value>`);
    expect(value).toMatchObject({ a: expect.any(Unreadable) as Unreadable, b: '' });
  });

  test.each(['<i8>9223372036854775807</i8>', '<i8>84226</i8>', '<i4>5000000000</i4>', '<int>-2147483649</int>'])(
    'an integer that no i4 holds goes back as it came: %s',
    (integer) => {
      const value = decoded(`<value>${integer}</value>`);
      expect(value).toBeInstanceOf(LongInteger);
      expect(encodeCall('txn.Commit', [value])).toContain(`<value>${integer}</value>`);
    },
  );
});

describe('the encoding of a document is found as XML processors find it', () => {
  const declares = (encoding: string) => `<?xml version="1.0" encoding="${encoding}"?>${answer('<value>żółw</value>')}`;
  const cp1250 = (text: string) =>
    Buffer.from(text.replaceAll('ż', '\u00BF').replaceAll('ó', '\u00F3').replaceAll('ł', '\u00B3'), 'latin1');
  const utf16be = (text: string) => Buffer.from(text, 'utf16le').swap16();
  const mark = '\uFEFF';

  test.each<[string, Buffer, string | undefined]>([
    ['UTF-8, unsaid', Buffer.from(answer('<value>żółw</value>')), undefined],
    ['one that it declares', cp1250(declares('windows-1250')), undefined],
    ['one that it declares, whatever HTTP says', cp1250(declares('windows-1250')), 'text/xml; charset=utf-8'],
    ['UTF-8, whatever HTTP says', Buffer.from(declares('utf-8')), 'text/xml; charset=iso-8859-1'],
    ['UTF-8, unsaid, whatever HTTP says', Buffer.from(answer('<value>żółw</value>')), 'text/xml; charset=latin1'],
    ['one that only HTTP names', cp1250(answer('<value>żółw</value>')), 'text/xml; charset="windows-1250"'],
    ['UTF-16 by its mark', Buffer.from(mark + declares('UTF-16'), 'utf16le'), 'text/xml; charset=utf-8'],
    ['UTF-16, the other byte first', utf16be(mark + declares('UTF-16')), undefined],
    ['UTF-16 without a mark', Buffer.from(declares('UTF-16'), 'utf16le'), undefined],
    ['UTF-16 without a mark, the other byte first', utf16be(declares('utf-16be')), undefined],
    ['UTF-8 that calls itself UTF-16', Buffer.from(declares('UTF-16')), undefined],
    ['UTF-8 that declares what nobody knows', Buffer.from(declares('x-nonsense')), undefined],
  ])('%s', (_, bytes, contentType) => {
    expect(decodeResponse(decodeXmlText(bytes, contentType))).toBe('żółw');
  });
});

describe('what is no XML-RPC is malformed, never a value', () => {
  test.each([
    ['nothing', ''],
    ['a page', '<html><body>Bad gateway<br></body></html>'],
    ['another document', '<rss/>'],
    ['an answer without a value', '<methodResponse><params/></methodResponse>'],
    ['two answers', '<methodResponse><params><param><value/></param><param><value/></param></params></methodResponse>'],
    ['text beside a type', answer('<value>7<i4>7</i4></value>')],
    ['an unknown type', answer('<value><i16>7</i16></value>')],
    ['an integer that is none', answer('<value><i4>7x</i4></value>')],
    ['a boolean that is none', answer('<value><boolean>yes</boolean></value>')],
    ['base64 that is none', answer('<value><base64>a*b=</base64></value>')],
    ['a date that is none', answer('<value><dateTime.iso8601>20191399T10:11:12</dateTime.iso8601></value>')],
    ['a document type declaration', `<!DOCTYPE methodResponse>${answer('<value/>')}`],
    ['an external entity', `<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]>${answer('<value>&e;</value>')}`],
    [
      'entities within entities',
      `<!DOCTYPE x [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>${answer('<value>&b;</value>')}`,
    ],
    ['something after the end', `${answer('<value/>')}<more/>`],
  ])('%s', (_, xml) => expect(() => decodeResponse(xml)).toThrow(MalformedXmlRpc));

  test('a body that was cut anywhere', () => {
    const whole = encodeResponse({ status: 0, result: [{ application_id: 17 }] });
    for (let length = 0; length < whole.length; length += 1) {
      expect(() => decodeResponse(whole.slice(0, length))).toThrow(MalformedXmlRpc);
    }
  });

  test('values nested beyond reason, without exhausting the stack', () => {
    const nested = (depth: number) => '<value><array><data>'.repeat(depth) + '</data></array></value>'.repeat(depth);
    expect(() => decoded(nested(5_000))).toThrow('more than 300 elements within each other');
  });
});

describe('the work for an answer grows with its size and no faster', () => {
  const declares = (index: number) => `<value xmlns:n${index}="urn:${index}">`;
  const many = (count: number, one: (index: number) => string) =>
    Array.from({ length: count }, (_, i) => one(i)).join('');

  test.each([
    ['nested namespaces', many(40_000, declares) + '</value>'.repeat(40_000), '300 elements within each other'],
    ['namespaces side by side', many(2_000, (index) => `${declares(index)}</value>`), '1000 attributes'],
    ['attributes of one element', `<value ${many(2_000, (i) => `a${i}='>'`)}/>`, '1000 attributes'],
    ['more tags than any answer has', '<value/>'.repeat(1_000_001), '1000000 tags'],
    ['more text than any answer has', 'x'.repeat(96 * 1024 * 1024), '100663296 characters'],
  ])('%s: refused before anything is parsed', (_, value, problem) =>
    expect(() => decoded(value)).toThrow(`more than ${problem}`),
  );

  test('markup in text, comments and sections does not count', () => {
    const text = '<!-- <value a="1"> --><![CDATA[<a b="c">]]>'.repeat(2_000);
    expect(decoded(`<value>${text}</value>`)).toBe('<a b="c">'.repeat(2_000));
  });

  testInFull('a list of 4,000 templates and a package of 64 MiB are read', () => {
    const templates = Array.from({ length: 4_000 }, (_, index) => ({
      st_id: index,
      name: `Office 365 offer ${index}`,
    }));
    expect(decodeResponse(encodeResponse(templates))).toEqual(templates);
    const file = Buffer.alloc(64 * 1024 * 1024, 'package');
    // Broken into lines, as other clients write it.
    const call = encodeCall('pem.APS.importPackage', [file]).replace(/[A-Za-z0-9+/=]{76}/g, '$&\n');
    const [decodedFile] = decodeCall(call).params;
    expect(Buffer.isBuffer(decodedFile) && decodedFile.equals(file)).toBe(true);
  });
});

test('a member called __proto__ is a member like any other', () => {
  const xml =
    '<value><struct><member><name>__proto__</name><value><struct><member><name>polluted</name><value>yes</value></member></struct></value></member></struct></value>';
  expect(Object.keys(decoded(xml) as object)).toEqual(['__proto__']);
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  expect(decodeResponse(encodeResponse(decoded(xml)))).toEqual(decoded(xml));
});

describe('what XML-RPC cannot carry is refused before it is sent', () => {
  test.each<[string, XmlRpcValue, string]>([
    ['control characters', 'a\u0000b', 'U+0000 at position 1'],
    ['half of a surrogate pair', 'a\uD83D', 'U+D83D at position 1'],
    ['characters that XML excludes', '\uFFFE', 'U+FFFE'],
    ['control characters in the name of a member', { 'a\u0007': 1 }, 'U+0007'],
    ['integers beyond 32 bits', 2 ** 31, 'larger ones travel as strings'],
    ['numbers that are none', NaN, 'NaN'],
    ['invalid dates', new Date(NaN), 'invalid date'],
  ])('%s', (_, value, problem) => expect(() => encodeCall('m', [value])).toThrow(problem));

  test('values that contain themselves', () => {
    const loop: XmlRpcValue[] = [];
    loop.push(loop);
    expect(() => encodeResponse(loop)).toThrow('nested deeper than 64');
  });
});
