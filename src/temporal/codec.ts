/**
 * Encryption of payloads: AES-256-GCM over the whole serialised payload, its own metadata included. The id of the key
 * stands beside it in clear, so that older payloads stay readable after a rotation.
 */
import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { temporal } from '@temporalio/proto';

export interface CodecKey {
  /** Stands in every payload that is encrypted with the key. */
  id: string;
  /** 32 bytes. */
  key: KeyObject;
}

/** A payload that is encrypted and cannot be read here; the message names its key. */
export class Undecryptable extends Error {
  override readonly name = 'Undecryptable';
}

const ENCODING = 'binary/encrypted';
const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;

const { Payload: PayloadMessage } = temporal.api.common.v1;

/** `data` of an encrypted payload is nonce, ciphertext and tag, one after the other. */
export class EncryptionCodec implements PayloadCodec {
  private readonly current: CodecKey | undefined;
  private readonly keys: ReadonlyMap<string, KeyObject>;

  /** @param keys the first one encrypts, any of them decrypts; without any, payloads are written in clear. */
  constructor(keys: readonly CodecKey[]) {
    [this.current] = keys;
    this.keys = new Map(keys.map(({ id, key }) => [id, key]));
  }

  async encode(payloads: Payload[]): Promise<Payload[]> {
    const { current } = this;
    return current === undefined ? payloads : payloads.map((payload) => encrypt(payload, current));
  }

  /**
   * Payloads that are not encrypted come back as they are: what was written before encryption was switched on, and what
   * people send with the `temporal` command.
   *
   * @throws Undecryptable
   */
  async decode(payloads: Payload[]): Promise<Payload[]> {
    return payloads.map((payload) => (textIn(payload, 'encoding') === ENCODING ? this.decrypt(payload) : payload));
  }

  private decrypt(payload: Payload): Payload {
    const id = textIn(payload, 'encryption-key-id') ?? '';
    const key = this.keys.get(id);
    if (key === undefined) {
      throw new Undecryptable(
        `A payload is encrypted with the key ${quoted(id)}, which this process does not have ` +
          `(it has ${[...this.keys.keys()].join(', ') || 'none'}). Add that key to ONWARD_CODEC_KEYS, after the first one.`,
      );
    }
    try {
      return PayloadMessage.decode(opened(id, key, Buffer.from(payload.data ?? [])));
    } catch (error) {
      throw new Undecryptable(
        `A payload that is encrypted with the key ${quoted(id)} cannot be decrypted: either it was changed, ` +
          `or ONWARD_CODEC_KEYS gives this id to another key than the one that encrypted it.`,
        { cause: error },
      );
    }
  }
}

function encrypt(payload: Payload, { id, key }: CodecKey): Payload {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(bound(id));
  const encrypted = [cipher.update(PayloadMessage.encode(payload).finish()), cipher.final()];
  return {
    metadata: { encoding: Buffer.from(ENCODING), 'encryption-key-id': Buffer.from(id) },
    data: Buffer.concat([nonce, ...encrypted, cipher.getAuthTag()]),
  };
}

/** @throws Error when anything but this key and this id has made `data`. */
function opened(id: string, key: KeyObject, data: Buffer): Buffer {
  if (data.length < NONCE_BYTES + TAG_BYTES) throw new Error('too short to be an encrypted payload');
  const decipher = createDecipheriv(CIPHER, key, data.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(bound(id))
    .setAuthTag(data.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(data.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
}

/** What is authenticated with the ciphertext: nobody can put another id or another purpose on it. */
const bound = (id: string): Buffer => Buffer.from(`${ENCODING} ${id}`);

function textIn({ metadata }: Payload, name: string): string | undefined {
  const value = metadata?.[name];
  return value && Buffer.from(value).toString();
}

/** Of a payload that anybody may have sent: short, and harmless on a terminal. */
const quoted = (id: string): string => JSON.stringify(id.slice(0, 64));
