// What Node's console shows of an object that is mostly an engine: a short description instead of its insides.

const INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom") as never;

/** Makes `console.log` show an object as its class and what `describe` says; the properties stay as they are. @internal */
export function describeToConsole<T extends object>(
  type: abstract new (...args: never[]) => T,
  describe: (it: T) => object,
): void {
  Object.defineProperty(type.prototype, INSPECT, {
    value(this: T, _depth: number, options: object, inspect: (value: unknown, options: object) => string): string {
      return `${type.name} ${inspect(describe(this), options)}`;
    },
  });
}
