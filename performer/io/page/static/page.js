// The control page: shows what the socket tells, and sends what fingers do.

import { control, el, groups } from "./parts.js";

const $ = (id) => document.getElementById(id);
const state = { now: null, bank: { model: "", places: [] }, brood: [], ready: new Set(), parents: new Set(), turned: {},
  knobs: new Map(), values: {} };
let socket = null, beat = { at: 0, beat: 0, bpm: 0 };

// -- the socket

function connect() {
  socket = new WebSocket(new URL("socket", location.href.replace(/^http/, "ws")));
  socket.binaryType = "blob";
  socket.onopen = () => { $("lost").hidden = true; };
  socket.onclose = () => { $("lost").hidden = false; setTimeout(connect, 1000); };
  socket.onmessage = ({ data }) => {
    if (typeof data !== "string") return showPicture(data);
    for (const [part, value] of Object.entries(JSON.parse(data))) take[part]?.(value);
  };
}

function send(message) {
  if (socket?.readyState === WebSocket.OPEN) socket.send(JSON.stringify(message));
}

let address = null;
function showPicture(blob) {  // the next one comes when this one is on screen: none pile up
  const next = URL.createObjectURL(blob);
  const picture = $("picture");
  picture.onload = picture.onerror = () => {
    if (address) URL.revokeObjectURL(address);
    address = next;
    send({ do: "seen" });
  };
  picture.src = next;
}

// Of a knob that is turned fast, thirty values a second are sent, and always the last one.
const waiting = new Map();
function turn(knob, value) {
  state.turned[knob] = value;
  if (!waiting.size) setTimeout(() => {
    for (const [address, value] of waiting) send({ do: "knob", address, value });
    waiting.clear();
  }, 33);
  waiting.set(knob, value);
}

// -- what is told

const take = {
  now(now) {
    state.now = now;
    $("title").textContent = now.title;
    $("waiting").textContent = now.waiting;
    $("bpm").textContent = now.bpm ? now.bpm.toFixed(1) : "--";
    $("sync").textContent = now.bpm ? `${now.sync} ${Math.round(100 * now.confidence)} %` : "";
    $("freeze")?.classList.toggle("on", now.frozen);
    $("blackout")?.classList.toggle("on", now.dark);
    $("held").hidden = !now.held;
    $("held").textContent = now.held;
    for (const button of $("quantise").children) button.classList.toggle("on", button.dataset.name === now.quantise);
    for (const button of $("presets").children) button.classList.toggle("on", button.dataset.name === now.preset);
    for (const tile of document.querySelectorAll(".tile")) tile.classList.toggle("held", tile.dataset.name === now.held);
    beat = { at: performance.now(), beat: now.beat, bpm: now.bpm };
  },
  notices(notices) {
    $("notices").replaceChildren(...notices.map(({ level, text }) => el("li", { textContent: text, className: level })));
  },
  actions(actions) {
    $("actions").replaceChildren(...actions.map((action) => el("button", {
      id: action.do, textContent: action.label, onclick: () => send({ do: action.do }) })));
    if (state.now) take.now(state.now);
  },
  presets(presets) {
    $("presets").replaceChildren(...presets.map(({ name, title, mood }) => el("button", {
      textContent: title, title: mood, dataset: { name }, onclick: () => send({ do: "preset", name }) })));
    if (state.now) take.now(state.now);
  },
  bank(bank) {
    state.bank = bank;
    state.parents = new Set([...state.parents].filter((name) => bank.places.some((place) => place.name === name)));
    drawBank();
  },
  brood(brood) { state.brood = brood; drawBrood(); },
  ready(keys) {
    for (const key of keys) {
      state.ready.add(key);
      for (const picture of document.querySelectorAll(`img[data-key="${key}"]`)) picture.src = `thumbnail/${key}`;
    }
  },
  scene({ knobs }) { state.turned = {}; state.values = {}; drawKnobs(knobs); },
  turned(turned) {
    for (const [address, knob] of state.knobs) {
      const byHand = address in turned;
      if (!waiting.has(address)) knob.control.set(byHand ? turned[address] : knob.base, byHand);
    }
    state.turned = turned;
  },
  values(values) {
    Object.assign(state.values, values);
    for (const [address, value] of Object.entries(values)) state.knobs.get(address)?.control.now(value);
  },
};

// -- bank and offspring

function picture(key) {
  const made = el("img", { alt: "", draggable: false, dataset: { key } });
  if (state.ready.has(key)) made.src = `thumbnail/${key}`;
  return made;
}

function drawBank() {
  const { model, places } = state.bank;
  $("model").textContent = model;
  $("places").replaceChildren(...places.map((place) => {
    const heart = el("button", { className: "corner", textContent: state.parents.has(place.name) ? "♥" : "♡",
      onclick: () => { toggle(state.parents, place.name); drawBank(); } });
    heart.classList.toggle("on", state.parents.has(place.name));
    heart.setAttribute("aria-label", `breed from ${place.name}`);
    heart.setAttribute("aria-pressed", state.parents.has(place.name));
    const face = el("button", { className: "face", onclick: () => (document.body.classList.contains("editing")
      ? openSheet({ ...place, offspring: null }) : send({ do: "recall", name: place.name })) }, picture(place.key));
    face.setAttribute("aria-label", `glide to ${place.name}`);
    return el("div", { className: "tile", dataset: { name: place.name } }, face, heart,
      el("span", { className: "name" }, place.name, el("small", { textContent: place.tags.map((tag) => ` #${tag}`).join("") })));
  }));
  $("places").append(el("button", { id: "keep", className: "strong", textContent: "Save snapshot", disabled: !model,
    onclick: () => send({ do: "keep" }) }));
  if (!places.length) {
    $("places").prepend(el("p", { textContent: model
      ? "No snapshots of this model yet. Save what you like, then breed from it." : "No model is playing." }));
  }
  $("parents").textContent = state.parents.size ? `of ${state.parents.size} chosen` : places.length ? "of all snapshots" : "";
  $("breed").disabled = !places.length;
  if (state.now) take.now(state.now);
}

function drawBrood() {
  $("brood").replaceChildren(...state.brood.map(({ number, key, kept }) => {
    const keep = el("button", { className: "corner", textContent: kept ? "✓" : "+", onclick: () => (kept ? null
      : openSheet({ name: `offspring ${number}`, tags: ["bred"], key, offspring: number })) });
    keep.setAttribute("aria-label", kept ? "saved" : `save offspring ${number}`);
    keep.classList.toggle("on", kept);
    const face = el("button", { className: "face", onclick: () => send({ do: "glide", number }) }, picture(key));
    face.setAttribute("aria-label", `glide to offspring ${number}`);
    return el("div", { className: "tile", dataset: { name: `offspring ${number}` } }, face, keep);
  }));
  if (state.now) take.now(state.now);
}

const toggle = (set, name) => (set.has(name) ? set.delete(name) : set.add(name));

let shown = null;
function openSheet(place) {
  shown = place;
  $("sheet-picture").src = `thumbnail/${place.key}`;
  $("sheet-name").value = place.name;
  $("sheet-tags").value = place.tags.join(", ");
  $("sheet-drop").hidden = place.offspring !== null;
  $("sheet-drop").textContent = "Delete";
  $("sheet").showModal();
}

$("sheet").addEventListener("close", () => {
  const name = $("sheet-name").value.trim(), place = shown;
  const tags = $("sheet-tags").value.split(",").map((tag) => tag.trim().slice(0, 24)).filter(Boolean).slice(0, 8);
  if ($("sheet").returnValue !== "keep" || !name || !place) return;
  if (place.offspring !== null) send({ do: "keep_offspring", number: place.offspring, name, tags });
  else send({ do: "rename", old: place.name, name, tags });
});
$("sheet-drop").addEventListener("click", () => {
  if ($("sheet-drop").textContent === "Delete") { $("sheet-drop").textContent = "Sure?"; return; }
  send({ do: "drop", name: shown.name });
  $("sheet").close("cancel");
});
$("sheet-cancel").addEventListener("click", () => $("sheet").close("cancel"));
$("edit").addEventListener("click", () => {
  const on = document.body.classList.toggle("editing");
  $("edit").setAttribute("aria-pressed", on);
});
$("breed").addEventListener("click", () => send({ do: "breed", parents: [...state.parents],
  spread: Number($("spread").value) }));

// -- knobs

const open = new Map();  // group -> whether it was opened or closed by hand
function drawKnobs(knobs) {
  state.knobs = new Map();
  const layers = new Set(knobs.map((knob) => knob.address.split(".")[0]));
  $("knobs").replaceChildren(el("h2", { textContent: "Parameters" }), ...groups(knobs).map((group, i) => {
    const box = el("details", { open: open.get(group.key) ?? (group.first || i < 2) },
      el("summary", {}, group.title, el("small", { textContent: layers.size > 1 ? group.layer : "" })));
    box.addEventListener("toggle", () => open.set(group.key, box.open));
    for (const knob of group.knobs) {
      const made = control(knob, (value) => {
        turn(knob.address, value);
        made.set(value, true);
      });
      made.set(knob.base, false);
      made.now(knob.base);
      state.knobs.set(knob.address, { control: made, base: knob.base });
      box.append(made.root);
    }
    return box;
  }));
}

// -- the rest

$("tap").addEventListener("pointerdown", () => send({ do: "tap" }));
for (const button of document.querySelectorAll("[data-do]")) {
  button.addEventListener("click", () => send({ do: button.dataset.do }));
}
for (const button of $("quantise").children) {
  button.addEventListener("click", () => send({ do: "quantise", name: button.dataset.name }));
}
for (const button of document.querySelectorAll("nav button")) {
  button.addEventListener("click", () => { document.body.dataset.tab = button.dataset.tab; });
}
const spread = $("spread");
const fill = () => spread.style.setProperty("--fill", `${100 * (spread.value - spread.min) / (spread.max - spread.min)}%`);
spread.addEventListener("input", fill);
fill();

function pulse() {
  const { at, beat: last, bpm } = beat;
  const phase = (last + (performance.now() - at) / 60000 * bpm) % 1;
  $("dot").style.opacity = bpm ? 0.15 + 0.85 * (1 - phase) ** 3 : 0.15;
  requestAnimationFrame(pulse);
}
pulse();
connect();
navigator.wakeLock?.request("screen").catch(() => {});
