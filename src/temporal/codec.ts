/**
 * Encryption of payloads: AES-256-GCM over the whole serialised payload, its own metadata included. The id of the key stands beside it in
 * clear, so that older payloads stay readable after a rotation; and so does the workflow that it is for, bound to the ciphertext.
 */
import { createCipheriv, createDecipheriv, randomBytes, type KeyObject } from 'node:crypto';
import type { Payload, PayloadCodec } from '@temporalio/common';
import { temporal } from '@temporalio/proto';
import { Doubtful, type Doubt } from '../contract/doubtful';
import { marked } from './doubtful-payloads';

export interface CodecKey {
  /** Stands in every payload that is encrypted with the key. */
  id: string;
  /** 32 bytes. */
  key: KeyObject;
}

export interface CodecOptions {
  /** What is encrypted in one namespace is refused in every other. */
  namespace: string;
  /** The cut-over, in milliseconds since 1970: from then on plaintext is late, and what was encrypted for no workflow in particular. */
  plaintextUntil?: number | undefined;
  /** Marks what it does not vouch for, as workers need it (./doubtful-payloads); else it throws, except where plaintext may be an older one. */
  marks?: boolean;
  /** Whether what is read at this moment has just been written, so that late plaintext is refused. */
  readsNews?: () => boolean;
  now?: () => number;
}

/** A payload that cannot be taken here; the message names its key, or what is wrong with it. */
export class Undecryptable extends Error {
  override readonly name = 'Undecryptable';
}

/** It was changed, or its key is another than the one here of that id. */
class Changed extends Undecryptable {}

/** What the SDK tells of a payload, as far as it matters here: each belongs to a workflow, those of its activities as well. */
interface OfWorkflow {
  workflowId?: string | undefined;
}

/** Whom a payload is for. */
interface Owner {
  namespace: string;
  workflowId: string;
}

const ENCODING = 'binary/encrypted';
const CIPHER = 'aes-256-gcm';
const NONCE_BYTES = 12;
const TAG_BYTES = 16;
/** Names in the metadata, for all to read. */
const KEY_ID = 'encryption-key-id';
const NAMESPACE = 'encrypted-in-namespace';
const WORKFLOW = 'encrypted-for-workflow';

/** In place of what nobody may read. */
const NOTHING: Payload = { metadata: { encoding: Buffer.from('binary/null') } };

const { Payload: PayloadMessage } = temporal.api.common.v1;

/** `data` of an encrypted payload is nonce, ciphertext and tag, one after the other. */
export class EncryptionCodec implements PayloadCodec {
  private readonly current: CodecKey | undefined;
  private readonly keys: ReadonlyMap<string, KeyObject>;
  private readonly now: () => number;

  /** @param keys the first one encrypts, any of them decrypts; without any, payloads are written in clear. */
  constructor(
    keys: readonly CodecKey[],
    private readonly options: CodecOptions,
  ) {
    [this.current] = keys;
    this.keys = new Map(keys.map(({ id, key }) => [id, key]));
    this.now = options.now ?? Date.now;
  }

  /** Whether the cut-over is over. */
  get isLate(): boolean {
    const { plaintextUntil } = this.options;
    return plaintextUntil !== undefined && this.now() >= plaintextUntil;
  }

  /** @param context whose payloads they are. Only the codec server may not know. */
  async encode(payloads: Payload[], context?: OfWorkflow): Promise<Payload[]> {
    const { current } = this;
    if (current === undefined) return payloads;
    const workflowId = context?.workflowId;
    const owner = workflowId === undefined ? undefined : { namespace: this.options.namespace, workflowId };
    return payloads.map((payload) => encrypt(payload, current, owner));
  }

  /**
   * @param context whose payloads they have to be. Who only shows what was written has none.
   * @throws Undecryptable
   */
  async decode(payloads: Payload[], context?: OfWorkflow): Promise<Payload[]> {
    return payloads.map((payload) => this.open(payload, context?.workflowId));
  }

  private open(payload: Payload, workflowId: string | undefined): Payload {
    if (textIn(payload, 'encoding') !== ENCODING) {
      return this.keys.size === 0 ? payload : this.doubted('plaintext', payload, workflowId);
    }
    const owner = ownerIn(payload);
    let opened: Payload;
    try {
      opened = this.decrypt(payload, owner);
    } catch (error) {
      if (!(error instanceof Changed) || this.options.marks !== true) throw error;
      return marked(NOTHING, { doubt: 'changed', late: false });
    }
    if (owner === undefined) return this.doubted('unbound', opened, workflowId);
    const fits =
      owner.namespace === this.options.namespace && (workflowId === undefined || owner.workflowId === workflowId);
    return fits ? opened : this.foreign(owner);
  }

  private doubted(doubt: Doubt, payload: Payload, workflowId: string | undefined): Payload {
    const { marks, readsNews } = this.options;
    const late = this.isLate;
    if (marks === true) return marked(payload, { doubt, late });
    if (late && workflowId !== undefined && readsNews?.() === true) {
      throw new Undecryptable(`What ${workflowId} answered ${new Doubtful(doubt, late).reason}`);
    }
    return payload;
  }

  private foreign({ namespace, workflowId }: Owner): Payload {
    if (this.options.marks === true) return marked(NOTHING, { doubt: 'foreign', late: false });
    throw new Undecryptable(
      `A payload was encrypted for the workflow ${quoted(workflowId)} in the namespace ${quoted(namespace)}, and was found elsewhere: somebody has copied it.`,
    );
  }

  private decrypt(payload: Payload, owner: Owner | undefined): Payload {
    const id = textIn(payload, KEY_ID) ?? '';
    const key = this.keys.get(id);
    if (key === undefined) {
      throw new Undecryptable(
        `A payload is encrypted with the key ${quoted(id)}, which this process does not have ` +
          `(it has ${[...this.keys.keys()].join(', ') || 'none'}). Add that key to ONWARD_CODEC_KEYS, after the first one.`,
      );
    }
    try {
      return PayloadMessage.decode(opened(key, Buffer.from(payload.data ?? []), bound(id, owner)));
    } catch (error) {
      throw new Changed(
        `A payload that is encrypted with the key ${quoted(id)} cannot be decrypted: either it was changed, ` +
          `or ONWARD_CODEC_KEYS gives this id to another key than the one that encrypted it.`,
        { cause: error },
      );
    }
  }
}

function encrypt(payload: Payload, { id, key }: CodecKey, owner: Owner | undefined): Payload {
  const nonce = randomBytes(NONCE_BYTES);
  const cipher = createCipheriv(CIPHER, key, nonce, { authTagLength: TAG_BYTES }).setAAD(bound(id, owner));
  const encrypted = [cipher.update(PayloadMessage.encode(payload).finish()), cipher.final()];
  return {
    metadata: {
      encoding: Buffer.from(ENCODING),
      [KEY_ID]: Buffer.from(id),
      ...(owner && { [NAMESPACE]: Buffer.from(owner.namespace), [WORKFLOW]: Buffer.from(owner.workflowId) }),
    },
    data: Buffer.concat([nonce, ...encrypted, cipher.getAuthTag()]),
  };
}

/** @throws Error when anything but this key has made `data`, or for anything but this purpose. */
function opened(key: KeyObject, data: Buffer, purpose: Buffer): Buffer {
  if (data.length < NONCE_BYTES + TAG_BYTES) throw new Error('too short to be an encrypted payload');
  const decipher = createDecipheriv(CIPHER, key, data.subarray(0, NONCE_BYTES), { authTagLength: TAG_BYTES })
    .setAAD(purpose)
    .setAuthTag(data.subarray(-TAG_BYTES));
  return Buffer.concat([decipher.update(data.subarray(NONCE_BYTES, -TAG_BYTES)), decipher.final()]);
}

/** What is authenticated with the ciphertext: nobody can put another id, another workflow or another purpose on it. */
const bound = (id: string, owner: Owner | undefined): Buffer =>
  Buffer.from(owner ? JSON.stringify([ENCODING, id, owner.namespace, owner.workflowId]) : `${ENCODING} ${id}`);

function ownerIn(payload: Payload): Owner | undefined {
  const [namespace, workflowId] = [textIn(payload, NAMESPACE), textIn(payload, WORKFLOW)];
  return namespace === undefined || workflowId === undefined ? undefined : { namespace, workflowId };
}

function textIn({ metadata }: Payload, name: string): string | undefined {
  const value = metadata?.[name];
  return value && Buffer.from(value).toString();
}

/** Of a payload that anybody may have sent: short, and harmless on a terminal. */
const quoted = (id: string): string => JSON.stringify(id.slice(0, 64));
