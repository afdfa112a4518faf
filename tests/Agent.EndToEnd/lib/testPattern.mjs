// What the test camera draws where nothing moves: points as fractions of the picture, colours as the decoder should show them.
export const bars = [];
