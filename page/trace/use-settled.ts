// A value once it stays as it is: what costs much to draw follows when the hand rests.

import { useEffect, useState } from "preact/hooks";

/** How long it must have stayed, ms. */
const STILL = 100;

/** The value as it was when it last stayed for a moment; at first as it is. */
export function useSettled<Value>(value: Value, key: string): Value {
  const [settled, setSettled] = useState({ value, key });
  useEffect(() => {
    const timer = setTimeout(() => setSettled({ value, key }), STILL);
    return () => clearTimeout(timer);
    // The key says all that the value is.
  }, [key]);
  return settled.value;
}
