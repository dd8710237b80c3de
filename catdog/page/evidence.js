// Draws evidence over a photo: the same picture as catdog/render.py, in the browser, so that opacity, colors and choice of
// map need no request. `evidence` holds numbers in logits, and `scale` is the same for every photo.
catdog.evidence = (() => {
  // Keys' cubic kernel with a = -0.5, Pillow's.
  const cubic = (x) => {
    const d = Math.abs(x);
    return d < 1 ? (1.5 * d - 2.5) * d * d + 1 : d < 2 ? ((-0.5 * d + 2.5) * d - 4) * d + 2 : 0;
  };

  // For each of `length` pixels the places that it is made of and their weights; at the edge there are fewer.
  const taps = (length, places) => Array.from({ length }, (_, i) => {
    const at = ((i + 0.5) * places) / length;
    const first = Math.max(0, Math.floor(at - 1.5)), last = Math.min(places, Math.floor(at + 2.5));
    const weights = Array.from({ length: last - first }, (_, n) => cubic(first + n + 0.5 - at));
    const sum = weights.reduce((a, b) => a + b);
    return [first, weights.map((weight) => weight / sum)];
  });

  // A map (rows of numbers) smoothly enlarged to width x height, as catdog/evidence.py does it, and kept within [0, 1].
  const enlarge = (map, width, height) => {
    const across = taps(width, map[0].length), fine = new Float32Array(width * height);
    const wide = map.map((row) => Float32Array.from(across, ([first, weights]) =>
      weights.reduce((sum, weight, n) => sum + weight * row[first + n], 0)));
    let index = 0;
    for (const [first, weights] of taps(height, map.length)) {
      for (let x = 0; x < width; x++) {
        let sum = 0;
        for (let n = 0; n < weights.length; n++) sum += weights[n] * wide[first + n][x];
        fine[index++] = Math.min(Math.max(sum, 0), 1);
      }
    }
    return fine;
  };

  // Shares of the scale for both colors in one choice of map, cat's and dog's: nothing where a place speaks against it.
  const shares = (evidence, scale, choice) => {
    const [cat, dog] = evidence;
    const factor = (cat.length * cat[0].length) / scale; // a place's evidence times the number of places
    const each = (value) => cat.map((row, y) => row.map((_, x) => Math.max(0, factor * value(cat[y][x], dog[y][x]))));
    if (choice === "difference") return [each((c, d) => c - d), each((c, d) => d - c)];
    return [each((c) => (choice === "dog" ? 0 : c)), each((c, d) => (choice === "cat" ? 0 : d))];
  };

  // The part that the network saw, painted in place. `strength` is the opacity at the scale's end; the photo fades to gray
  // with it, for an orange cat hides orange evidence.
  const paintSeen = (pixels, [cat, dog], [catColor, dogColor], strength, look) => {
    const saturation = 1 - (1 - look.saturation) * Math.min(1, strength / look.strength);
    for (let place = 0, i = 0; place < cat.length; place++, i += 4) {
      const total = Math.max(cat[place] + dog[place], 1e-6);
      const opacity = strength * Math.min(1, Math.max(cat[place], dog[place]));
      const gray = 0.299 * pixels[i] + 0.587 * pixels[i + 1] + 0.114 * pixels[i + 2];
      for (let c = 0; c < 3; c++) {
        const faded = gray + saturation * (pixels[i + c] - gray);
        const mixed = (catColor[c] * cat[place] + dogColor[c] * dog[place]) / total;
        pixels[i + c] = faded * (1 - opacity) + mixed * opacity;
      }
    }
  };

  const veil = (context, [left, top, right, bottom], look) => {
    const { width, height } = context.canvas;
    context.fillStyle = `rgba(${look.unseen.join(", ")}, ${look.veil})`;
    for (const [x, y, w, h] of [
      [0, 0, width, top], [0, bottom, width, height - bottom],
      [0, top, left, bottom - top], [right, top, width - right, bottom - top],
    ]) context.fillRect(x, y, w, h);
  };

  const frame = (context, [left, top, right, bottom], color, name) => {
    const { width, height, clientWidth } = context.canvas;
    const pixel = width / (clientWidth || width); // of the screen, in the picture's pixels
    const line = Math.max(2, 2 * pixel, Math.floor(Math.min(width, height) / 120));
    context.strokeStyle = context.fillStyle = `rgb(${color.join(", ")})`;
    context.lineWidth = line;
    context.strokeRect(left + line / 2, top + line / 2, right - left - line, bottom - top - line);
    const size = 14 * pixel;
    context.font = `600 ${size}px system-ui, sans-serif`;
    context.textBaseline = "top";
    context.fillRect(left, top, context.measureText(name).width + size * 0.8, size * 1.4);
    const [r, g, b] = color;
    context.fillStyle = 0.299 * r + 0.587 * g + 0.114 * b > 130 ? "black" : "white";
    context.fillText(name, left + size * 0.4, top + size * 0.25);
  };

  // All of it. `shown` has picture (an image), evidence, scale, view and boxes in the picture's pixels; `options` has
  // choice, opacity, colors and boxes; `look` what render.py calls by the same names.
  const paint = (canvas, shown, options, look) => {
    const [left, top, right, bottom] = shown.view;
    canvas.width = shown.picture.naturalWidth;
    canvas.height = shown.picture.naturalHeight;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(shown.picture, 0, 0);
    if (options.choice !== "photo") {
      const key = `${options.choice} ${canvas.width}`;
      if (shown.fine?.key !== key) {
        const maps = shares(shown.evidence, shown.scale, options.choice);
        shown.fine = { key, maps: maps.map((map) => enlarge(map, right - left, bottom - top)) };
      }
      const seen = context.getImageData(left, top, right - left, bottom - top);
      paintSeen(seen.data, shown.fine.maps, options.colors, options.opacity, look);
      context.putImageData(seen, left, top);
    }
    veil(context, shown.view, look);
    for (const [index, label] of ["cat", "dog"].entries()) {
      const box = shown.boxes[label];
      if (options.boxes && box) frame(context, box, options.colors[index], catdog.say(`label.${label}`));
    }
  };

  // Another method's map, a gray picture over the seen part, in one color. It is stretched to its own maximum.
  const tint = (canvas, picture, map, [left, top, right, bottom], colors, look) => {
    canvas.width = picture.naturalWidth;
    canvas.height = picture.naturalHeight;
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const width = right - left, height = bottom - top;
    context.drawImage(map, left, top, width, height);
    const values = Float32Array.from({ length: width * height }, ((gray) => (_, i) => gray[4 * i] / 255)(
      context.getImageData(left, top, width, height).data));
    const none = new Float32Array(values.length);
    context.drawImage(picture, 0, 0);
    const seen = context.getImageData(left, top, width, height);
    paintSeen(seen.data, colors[0] ? [values, none] : [none, values], colors.map((color) => color ?? [0, 0, 0]), look.strength, look);
    context.putImageData(seen, left, top);
    veil(context, [left, top, right, bottom], look);
  };

  // What a point of the picture says, [cat, dog] in logits times places; null where the network did not look.
  const spot = (shown, x, y) => {
    const [left, top, right, bottom] = shown.view;
    if (x < left || y < top || x >= right || y >= bottom) return null;
    const [rows, columns] = [shown.evidence[0].length, shown.evidence[0][0].length];
    const row = Math.floor(((y - top) / (bottom - top)) * rows), column = Math.floor(((x - left) / (right - left)) * columns);
    return shown.evidence.map((map) => map[row][column] * rows * columns);
  };

  return { paint, tint, spot };
})();
