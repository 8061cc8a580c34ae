/** What every path of a release rests on. `Owed` are the facts that have to stand at the end of each. */
export interface Terms<Owed> {
  /** The version that every path of the release leads to, `18.4.1`. */
  readonly version: string;
  /** Each obligation by the fact that meets it, with the sentence that asks for it. */
  readonly obligations: { readonly [Fact in keyof Owed]: string };
  /** Never set: carries the types of the facts to whoever builds a path under these terms. */
  readonly owed?: (owed: Owed) => Owed;
}

export const releaseTerms = <Owed>(terms: Terms<Owed>): Terms<Owed> => terms;
