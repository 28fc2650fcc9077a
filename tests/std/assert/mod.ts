/**
 * Offline stand-in for `@std/assert`: the functions that this repository uses,
 * with the names, arguments and behaviour of the real ones, over `node:assert`.
 *
 * @module
 */
import nodeAssert, { AssertionError } from "node:assert";

export { AssertionError };

// deno-lint-ignore no-explicit-any
type ErrorClass<E extends Error> = abstract new (...args: any[]) => E;

const withMessage = (text: string, message?: string) =>
  new AssertionError({ message: message ? `${text}: ${message}` : text });

/** Asserts that `condition` is truthy. */
export function assert(condition: unknown, message = ""): asserts condition {
  if (!condition) throw new AssertionError({ message });
}

/** Asserts that `condition` is falsy. */
export function assertFalse(
  condition: unknown,
  message = "Expected a falsy value",
): void {
  if (condition) throw new AssertionError({ message });
}

/** Asserts deep equality. */
export function assertEquals<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  nodeAssert.deepStrictEqual(actual, expected, message);
}

/** Asserts that two values are not deeply equal. */
export function assertNotEquals<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  nodeAssert.notDeepStrictEqual(actual, expected, message);
}

/** Asserts identity by `Object.is`. */
export function assertStrictEquals<T>(
  actual: unknown,
  expected: T,
  message?: string,
): asserts actual is T {
  nodeAssert.strictEqual(actual, expected, message);
}

/** Asserts that two numbers differ by at most `tolerance` (default: 1e-7 of `expected`). */
export function assertAlmostEquals(
  actual: number,
  expected: number,
  tolerance?: number,
  message?: string,
): void {
  if (Object.is(actual, expected)) return;
  const limit = tolerance ??
    (isFinite(expected) ? Math.abs(expected * 1e-7) : 1e-7);
  if (Math.abs(expected - actual) <= limit) return;
  throw withMessage(
    `Expected actual: "${actual}" to be close to "${expected}": delta is greater than "${limit}"`,
    message,
  );
}

/** Asserts that `actual` is neither `undefined` nor `null`. */
export function assertExists<T>(
  actual: T,
  message?: string,
): asserts actual is NonNullable<T> {
  if (actual === undefined || actual === null) {
    throw withMessage(
      `Expected actual: "${actual}" to not be null or undefined`,
      message,
    );
  }
}

/** Asserts that `actual` is an instance of `expected`. */
export function assertInstanceOf<E>(
  actual: unknown,
  // deno-lint-ignore no-explicit-any
  expected: abstract new (...args: any[]) => E,
  message?: string,
): asserts actual is E {
  if (!(actual instanceof expected)) {
    throw withMessage(
      `Expected object to be an instance of "${expected.name}"`,
      message,
    );
  }
}

/** Asserts that `actual` contains `expected`. */
export function assertStringIncludes(
  actual: string,
  expected: string,
  message?: string,
): void {
  if (!actual.includes(expected)) {
    throw withMessage(
      `Expected actual: "${actual}" to contain: "${expected}"`,
      message,
    );
  }
}

/** Asserts that `actual` matches `expected`. */
export function assertMatch(
  actual: string,
  expected: RegExp,
  message?: string,
): void {
  if (!expected.test(actual)) {
    throw withMessage(
      `Expected actual: "${actual}" to match: "${expected}"`,
      message,
    );
  }
}

/** Asserts `actual > expected`. */
export function assertGreater<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  if (!(actual > expected)) {
    throw withMessage(`Expect ${actual} > ${expected}`, message);
  }
}

/** Asserts `actual >= expected`. */
export function assertGreaterOrEqual<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  if (!(actual >= expected)) {
    throw withMessage(`Expect ${actual} >= ${expected}`, message);
  }
}

/** Asserts `actual < expected`. */
export function assertLess<T>(actual: T, expected: T, message?: string): void {
  if (!(actual < expected)) {
    throw withMessage(`Expect ${actual} < ${expected}`, message);
  }
}

/** Asserts `actual <= expected`. */
export function assertLessOrEqual<T>(
  actual: T,
  expected: T,
  message?: string,
): void {
  if (!(actual <= expected)) {
    throw withMessage(`Expect ${actual} <= ${expected}`, message);
  }
}

/** Fails. */
export function fail(message?: string): never {
  throw withMessage("Failed assertion", message);
}

function checkError<E extends Error>(
  error: unknown,
  errorClass: ErrorClass<E>,
  includes?: string,
): asserts error is E {
  if (!(error instanceof errorClass)) {
    const name = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
    throw withMessage(
      `Expected error to be instance of "${errorClass.name}", but was "${name}"`,
    );
  }
  if (includes !== undefined && !error.message.includes(includes)) {
    throw withMessage(
      `Expected error message to include "${includes}", but got "${error.message}"`,
    );
  }
}

/** Asserts that `fn` throws, and returns what it threw. */
export function assertThrows<E extends Error = Error>(
  fn: () => unknown,
  errorClass?: ErrorClass<E>,
  includes?: string,
  message?: string,
): E {
  try {
    fn();
  } catch (error) {
    checkError(
      error,
      errorClass ?? (Error as unknown as ErrorClass<E>),
      includes,
    );
    return error;
  }
  throw withMessage("Expected function to throw", message);
}

/** Asserts that the promise of `fn` rejects, and resolves to the reason. */
export async function assertRejects<E extends Error = Error>(
  fn: () => PromiseLike<unknown>,
  errorClass?: ErrorClass<E>,
  includes?: string,
  message?: string,
): Promise<E> {
  try {
    await fn();
  } catch (error) {
    checkError(
      error,
      errorClass ?? (Error as unknown as ErrorClass<E>),
      includes,
    );
    return error;
  }
  throw withMessage("Expected function to reject", message);
}
