// Looks for something in several places, in order, and remembers why each had it not.

/**
 * Resolves to what the first source finds: a source is `{ name, find }`, and `find` throws an Error
 * with a reason where it finds nothing. Resolves to `{ found }` or to `{ reasons }`, one per source.
 */
export async function firstFound(sources) {
  const reasons = [];
  for (const { name, find } of sources) {
    try {
      return { found: await find(), reasons };
    } catch (error) {
      reasons.push(`${name} (${error.message})`);
    }
  }
  return { reasons };
}
