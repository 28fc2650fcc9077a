/**
 * Axes of views that are walked together.
 *
 * @module
 */

/** An axis, and the strides of several views along it. */
export interface Axis {
  /** The extent. */
  extent: number;
  /** From neighbour to neighbour, of each view. */
  strides: readonly number[];
}

/** The fewest axes in which every view has one stride each; extents of 1 are left out. */
export function mergeAxes(
  extents: readonly number[],
  views: readonly (readonly number[])[],
  first = 0,
  end: number = extents.length,
): Axis[] {
  const merged: Axis[] = [];
  for (let axis = first; axis < end; axis++) {
    const extent = extents[axis]!;
    if (extent === 1) continue;
    const strides = views.map((view) => view[axis]!);
    const last = merged.at(-1);
    if (last?.strides.every((stride, i) => stride === strides[i]! * extent)) {
      merged[merged.length - 1] = { extent: last.extent * extent, strides };
    } else merged.push({ extent, strides });
  }
  return merged;
}

/** Calls `visit` for each position along axes; `starts` move from each view's first element on. */
export function walkAxes(
  axes: readonly Axis[],
  starts: number[],
  visit: (index: number) => void,
): void {
  const position = axes.map(() => 0);
  const count = axes.reduce((product, { extent }) => product * extent, 1);
  for (let index = 0; index < count; index++) {
    visit(index);
    for (let d = axes.length - 1; d >= 0; d--) {
      const { extent, strides } = axes[d]!;
      const turn = ++position[d]! === extent;
      const by = turn ? 1 - extent : 1;
      if (turn) position[d] = 0;
      for (let i = 0; i < starts.length; i++) starts[i]! += by * strides[i]!;
      if (!turn) break;
    }
  }
}
