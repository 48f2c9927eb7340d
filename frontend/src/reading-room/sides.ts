/** Where one of them says no side, it may mean the other's. */
export function areSidesAlike(one: readonly string[], other: readonly string[]): boolean {
  return one.length === 0 || other.length === 0 || one.some((side) => other.includes(side));
}
