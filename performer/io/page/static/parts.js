// Small parts of the page: elements, and a control for each kind of knob.

export function el(tag, properties = {}, ...children) {
  const { dataset, ...rest } = properties;
  const made = Object.assign(document.createElement(tag), rest);
  Object.assign(made.dataset, dataset);
  made.append(...children);
  return made;
}

const NAMES = { walk: "Walk", middle: "Middle style", fine: "Fine style", latent: "Directions", mix: "Mix",
  transform: "Place and size", play: "Playback", key: "Key", mask: "Mask", source: "Source", "": "Model" };
const FIRST = new Set(["walk", "latent", ""]);  // of a model that dreams: what is played most

/** Knobs in groups, by layer and node, layers that dream first: { key, title, layer, first, knobs }. */
export function groups(knobs) {
  const found = new Map();
  for (const knob of knobs) {
    const parts = knob.address.split(".");
    const layer = parts[0], node = parts.length > 2 ? parts[1] : "";
    const key = `${layer}.${node}`;
    if (!found.has(key)) {
      const title = NAMES[node] ?? node.replaceAll("_", " ");
      found.set(key, { key, title, layer, first: FIRST.has(node), knobs: [] });
    }
    found.get(key).knobs.push(knob);
  }
  const dreams = new Set([...found.values()].filter((group) => group.first).map((group) => group.layer));
  const rank = ({ first, layer }) => (first ? 0 : dreams.has(layer) ? 1 : 2);
  return [...found.values()].sort((a, b) => rank(a) - rank(b));
}

const digits = (low, high) => (high - low >= 50 ? 0 : high - low >= 5 ? 1 : 2);

function slider(low, high, label, turn, reset) {
  const input = el("input", { type: "range", min: low, max: high, step: (high - low) / 400 || 0.001 });
  input.setAttribute("aria-label", label);
  let held = false, tapped = 0;
  input.addEventListener("pointerdown", () => { held = true; });
  for (const end of ["pointerup", "pointercancel", "blur"]) input.addEventListener(end, () => { held = false; });
  input.addEventListener("input", () => { fill(); turn(Number(input.value)); });
  input.addEventListener("click", () => {  // twice: back to what the preset says
    const now = performance.now();
    if (now - tapped < 350) reset();
    tapped = now;
  });
  const share = (value) => `${100 * (value - low) / (high - low || 1)}%`;
  const zero = low < 0 && high > 0 ? 0 : low;
  const fill = () => {  // from nothing to where it stands, to either side
    input.style.setProperty("--from", share(Math.min(zero, input.value)));
    input.style.setProperty("--fill", share(Math.max(zero, input.value)));
  };
  return { input, set(value) { if (!held) { input.value = value; fill(); } }, get held() { return held; } };
}

const toHex = (color) => "#" + color.slice(0, 3).map(
  (part) => Math.round(Math.min(1, Math.max(0, part)) * 255).toString(16).padStart(2, "0")).join("");

/** The control of one knob. turn(value) is called when a hand moves it.
 *  set(value, byHand): where the hand left it; now(value): what it is at this moment. */
export function control(knob, turn) {
  const root = el("div", { className: "knob" });
  const value = el("output");
  const from = el("small", { textContent: knob.from.join(", ") });
  root.append(el("div", { className: "label" }, el("span", { textContent: knob.label, title: [knob.address, knob.unit].filter(Boolean).join(": ") }), from, value));
  root.classList.toggle("routed", knob.from.length > 0);
  const reset = () => turn(knob.base);

  if (knob.kind === "event") {
    const button = el("button", { textContent: "Go", onclick: () => turn(1) });
    root.append(el("div", { className: "options" }, button));
    return { root, set() {}, now() {} };
  }
  if (knob.kind === "bool" || (knob.kind === "long" && knob.values.length)) {
    const choices = knob.kind === "bool" ? [["Off", 0], ["On", 1]]
      : knob.values.map((number, i) => [knob.labels[i] ?? String(number), number]);
    const buttons = choices.map(([label, number]) => el("button", { textContent: label, onclick: () => turn(number) }));
    root.append(el("div", { className: "options" }, ...buttons));
    const show = (now) => buttons.forEach((button, i) => button.classList.toggle("on", choices[i][1] === Math.round(now)));
    return { root, set(set, byHand) { root.classList.toggle("turned", byHand); show(set); }, now: show };
  }
  if (knob.kind === "color") {
    const picker = el("input", { type: "color" });
    picker.setAttribute("aria-label", knob.label);
    let alpha = knob.base[3];
    picker.addEventListener("input", () => turn(
      [1, 3, 5].map((at) => parseInt(picker.value.slice(at, at + 2), 16) / 255).concat(alpha)));
    root.append(el("div", { className: "options" }, picker, el("button", { textContent: "Reset", onclick: reset })));
    return { root, set(set, byHand) { root.classList.toggle("turned", byHand); picker.value = toHex(set); alpha = set[3]; },
      now() {} };
  }
  const wide = knob.kind === "point2D" ? 2 : 1;
  const part = (of, i) => (Array.isArray(of) ? of[i] : of);
  let at = [].concat(knob.base);
  const lines = Array.from({ length: wide }, (_, i) => {
    const low = part(knob.low, i), high = part(knob.high, i);
    const mark = el("i", { className: "now" });
    const one = slider(low, high, wide > 1 ? `${knob.label} ${"xy"[i]}` : knob.label, (moved) => {
      at = at.map((old, j) => (i === j ? moved : old));
      turn(wide > 1 ? at : at[0]);
    }, reset);
    return { ...one, one, low, high, mark, root: el("div", { className: "line" }, one.input, mark) };
  });
  root.append(wide > 1 ? el("div", { className: "two" }, ...lines.map((line) => line.root)) : lines[0].root);
  const shown = digits(lines[0].low, lines[0].high);
  return {
    root,
    set(set, byHand) {
      root.classList.toggle("turned", byHand);
      if (lines.some((line) => line.one.held)) return;
      at = [].concat(set);
      lines.forEach((line, i) => line.one.set(at[i]));
    },
    now(now) {
      const parts = [].concat(now);
      value.textContent = parts.map((number) => number.toFixed(shown)).join(", ");
      lines.forEach((line, i) => line.mark.style.setProperty(
        "--at", `calc(14px + (100% - 28px) * ${Math.min(1, Math.max(0, (parts[i] - line.low) / (line.high - line.low || 1)))})`));
    },
  };
}
