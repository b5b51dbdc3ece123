/**
 * What follows from a definition alone, made once for it: definitions never change, and each plan asks for the same again,
 * dozens of times for one answer of the doctor. It is forgotten with the definition.
 */
export function oncePer<K extends object, T extends object>(make: (key: K) => T): (key: K) => T {
  const made = new WeakMap<K, T>();
  return (key) => {
    const known = made.get(key) ?? make(key);
    made.set(key, known);
    return known;
  };
}
