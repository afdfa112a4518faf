// What the test camera draws where nothing moves (TestPattern.cs): eight 75 % colour bars over the upper three quarters of the picture.
// Points are fractions of the picture, colours as the decoder should show them.
const bar = 191;

export const bars = [
  ['grey', bar, bar, bar],
  ['yellow', bar, bar, 0],
  ['cyan', 0, bar, bar],
  ['green', 0, bar, 0],
  ['magenta', bar, 0, bar],
  ['red', bar, 0, 0],
  ['blue', 0, 0, bar],
  ['black', 0, 0, 0],
].map(([name, ...colour], index) => ({ name, colour, point: [(index + 0.5) / 8, 0.1] }));
