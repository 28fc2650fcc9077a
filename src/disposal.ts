/**
 * What `using` and `await using` end, for versions of TypeScript's `lib` with and without them.
 *
 * @module
 */

/** Ends with the block that declares it by `using`. */
export type UsingDisposable = {
  /** Frees what is held. */
  [K in SymbolConstructor["dispose" & keyof SymbolConstructor]]: () => void;
};

/** Ends with the block that declares it by `await using`. */
export type AwaitUsingDisposable = {
  /** Frees what is held. */
  [K in SymbolConstructor["asyncDispose" & keyof SymbolConstructor]]: () => Promise<void>;
};
