"""One browser on the page: sends it what changed, newest picture only, and takes what it asks."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from queue import SimpleQueue
from time import monotonic
from typing import Any

from performer.io.page import protocol
from performer.io.page.protocol import BadMessage
from performer.io.page.state_publisher import EVERY_S, PageState, StatePublisher
from performer.io.page.thumbnails import LivePicture, Thumbnails
from performer.latent.bank import SPREAD, child
from performer.show import status_text
from performer.types.frame import ControlEvent
from performer.types.params import Param, Value
from performer.types.routes import Route

log = logging.getLogger(__name__)
BROOD = 12  # offspring at a time
PATIENCE_S = 4.0  # a picture that was not seen by then is lost
SILENT_S = 20.0  # a browser that is sent pictures and says nothing for so long is asleep, though its machine may answer
MOST_A_SECOND = 240  # messages; a finger on a slider makes 60


@dataclass
class OffspringPool:
    """Offspring that wait to be kept; the same for all visitors. Server's thread only."""

    model: str = ""
    offspring: list[bytes] = field(default_factory=list)
    first: int = 1  # number of the first one
    born: int = 0

    def breed(self, glance: PageState, parents: list[bytes], count: int, spread: float) -> None:
        """Other ones, of some parents."""
        self.model = glance.model
        self.first = self.born + 1
        self.offspring = [child(parents, glance.seed, self.born + i + 1, spread) for i in range(count)]
        self.born += count


class ClientSession:
    """Serves one web socket until it closes."""

    def __init__(
        self,
        websocket: Any,
        *,
        board: StatePublisher,
        live: LivePicture,
        thumbnails: Thumbnails,
        nursery: OffspringPool,
        events: SimpleQueue[ControlEvent],
        now: Callable[[], float],
    ) -> None:
        self._websocket = websocket
        self._board = board
        self._thumbnails = thumbnails
        self._nursery = nursery
        self._live = live
        self._events = events
        self._now = now
        self._flying_since: float | None = None  # when the picture on its way was sent
        self._unanswered_since: float | None = None  # when the first picture was sent after it said something last
        self._pictures = board.pictures.count
        self._sent: dict[str, object] = {}  # part of the state -> as it was sent last
        self._values: dict[str, Value] = {}
        self._coming: list[str] = []  # small pictures that are not there yet
        self._told: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []

    async def stay(self) -> None:
        """Send and receive until either ends."""
        self._tasks = [asyncio.create_task(self._send()), asyncio.create_task(self._receive())]
        await asyncio.wait(self._tasks, return_when=asyncio.FIRST_COMPLETED)
        self.leave()
        for result in await asyncio.gather(*self._tasks, return_exceptions=True):
            if isinstance(result, Exception) and type(result).__name__ not in (
                "WebSocketDisconnect",
                "ConnectionClosedOK",
                "ConnectionClosedError",
                "ClientDisconnected",
                "RuntimeError",
            ):
                log.warning("the page: %s", result)

    def leave(self) -> None:
        for task in self._tasks:
            task.cancel()

    # -- to the browser

    async def _send(self) -> None:
        while self._unanswered_since is None or monotonic() - self._unanswered_since < SILENT_S:
            glance = self._board.glances.peek()
            if glance is not None:
                for part in self._news(glance):
                    await self._websocket.send_text(json.dumps(part, separators=(",", ":")))
            await self._send_picture()
            await asyncio.sleep(EVERY_S / 2)

    async def _send_picture(self) -> None:
        if self._flying_since is not None and monotonic() - self._flying_since < PATIENCE_S:
            return
        newer = self._live.newer(self._pictures)
        if newer is None:
            return
        self._pictures, self._flying_since = newer[0], monotonic()
        if self._unanswered_since is None:
            self._unanswered_since = self._flying_since
        await self._websocket.send_bytes(newer[1])

    def _news(self, glance: PageState) -> list[dict[str, Any]]:
        """What changed since it was told last."""
        nursery = self._nursery
        model = glance.model
        key_of = self._thumbnails.key
        stamp = self._thumbnails.stamp(model) if model else 0.0
        offspring = nursery.offspring if nursery.model == model else []
        parts: dict[str, object] = {
            "actions": (),
            "presets": glance.presets,
            "scene": (glance.scene.number, glance.scene.preset),
            "bank": (model, stamp, glance.places),
            "brood": (model, stamp, nursery.first, tuple(offspring)),
            "turned": glance.frame.status.by_hand,
            "now": _now(glance),
            "notices": glance.notices,
        }
        made: dict[str, Callable[[], Any]] = {
            "actions": lambda: protocol.BUTTONS,
            "presets": lambda: [{"name": n, "title": title, "mood": mood} for n, title, mood in glance.presets],
            "scene": lambda: _scene(glance),
            "bank": lambda: {
                "model": model,
                "places": [
                    {"name": place.name, "tags": place.tags, "key": key_of(model, place.whole)}
                    for place in glance.places
                ],
            },
            "brood": lambda: [
                {
                    "number": nursery.first + i,
                    "key": key_of(model, latent),
                    "kept": any(place.latent == latent for place in glance.places),
                }
                for i, latent in enumerate(offspring)
            ],
            "turned": lambda: glance.frame.status.by_hand,
            "now": lambda: parts["now"],
            "notices": lambda: [{"level": level, "text": text} for level, text in glance.notices],
        }
        news: list[dict[str, Any]] = []
        if parts["bank"] != self._sent.get("bank") or parts["brood"] != self._sent.get("brood"):
            self._sent.pop("brood", None)  # whether one is kept is part of it
            latents = [*offspring, *(place.whole for place in glance.places)]
            self._thumbnails.wish(model, latents)
            self._coming = [key_of(model, latent) for latent in latents]
        if parts["scene"] != self._sent.get("scene"):
            self._values = {}
        for name, part in parts.items():
            if name not in self._sent or self._sent[name] != part:
                self._sent[name] = part
                news.append({name: made[name]()})
        values = {
            address: value for address, value in glance.scene.params.items() if self._values.get(address) != value
        }
        if values:
            self._values.update(values)
            news.append({"values": {address: _short(value) for address, value in values.items()}})
        ready = [key for key in self._coming if self._thumbnails.get(key)]
        if ready:
            self._coming = [key for key in self._coming if key not in ready]
            news.append({"ready": ready})
        return news

    # -- from the browser

    async def _receive(self) -> None:
        begun = monotonic()
        count = 0
        while True:
            message = await self._websocket.receive()
            if message["type"] == "websocket.disconnect":
                return
            now = monotonic()
            self._unanswered_since = None
            if now - begun > 1.0:
                begun = now
                count = 0
            count += 1
            if count > MOST_A_SECOND:
                self._log_once("too many messages a second")
                await self._websocket.close(1008)
                return
            try:
                text = message.get("text")
                if text is None:
                    raise BadMessage("no text")
                self.take(text)
            except BadMessage as odd:
                self._log_once(str(odd))

    def take(self, text: str) -> None:
        """Do what a message asks. Raises BadMessage."""
        message = protocol.read(text)
        do, glance = message["do"], self._board.glances.peek()
        if do == "seen":
            self._flying_since = None
            return
        model = glance.model if glance is not None else ""
        event = protocol.event(message, self._now(), model)
        if event is not None:
            self._events.put(event)
        elif do == "breed" and glance is not None:
            self._breed(message, glance)
        elif do in ("glide", "keep_offspring") and glance is not None:
            at = int(protocol.number(message, "number", 0, 1e9, -1.0)) - self._nursery.first
            if self._nursery.model != model or not 0 <= at < len(self._nursery.offspring):
                raise BadMessage("no such offspring")
            latent = self._nursery.offspring[at]
            number = self._nursery.first + at
            name = protocol.name(message, "name", "") or f"offspring {number}"
            if do == "glide":
                self._events.put(ControlEvent(self._now(), "bank.glide", 1.0, f"offspring {number}", latent, (model,)))
            else:
                self._events.put(
                    ControlEvent(
                        self._now(), "bank.keep", 1.0, name, latent, (model, *(protocol.tags(message) or ("bred",)))
                    )
                )
        else:
            raise BadMessage(f"do {do[:20]!r} is not known")

    def _breed(self, message: dict[str, Any], glance: PageState) -> None:
        wished = message.get("parents", [])
        if not isinstance(wished, list):
            raise BadMessage("parents: expected a list of names")
        by_name = {place.name: place.latent for place in glance.places}
        parents = [by_name[name] for name in wished if isinstance(name, str) and name in by_name]
        parents = parents or list(by_name.values())
        if not parents:
            raise BadMessage("nothing is kept yet to breed from")
        self._nursery.breed(glance, parents, BROOD, protocol.number(message, "spread", 0.0, 1.5, SPREAD))

    def _log_once(self, why: str) -> None:
        if why not in self._told and len(self._told) < 20:
            self._told.add(why)
            log.warning("the control page sent an invalid message: %s", why)


def _short(value: Value) -> Any:
    return [round(part, 4) for part in value] if isinstance(value, tuple) else round(value, 4)


def _now(glance: PageState) -> dict[str, Any]:
    frame = glance.frame
    heard = glance.frame.features
    status = glance.frame.status
    return {
        "preset": glance.scene.preset.name,
        "title": glance.scene.preset.title,
        "bpm": round(heard.bpm, 1),
        "confidence": round(heard.confidence, 2),
        "beat": round(heard.beat, 2),
        "meter": heard.meter,
        "sync": frame.sync,
        "waiting": status_text.waiting(status),
        "quantise": status.quantise,
        "dark": status.dark,
        "frozen": status.frozen,
        "held": status.held,
        "level": round(heard.values.get("level", 0.0), 2),
    }


def _scene(glance: PageState) -> dict[str, Any]:
    """The knobs of a scene, in the order of its layers."""
    preset = glance.scene.preset
    routes: dict[str, list[str]] = {}
    route: Route
    for route in preset.routes:
        routes.setdefault(route.target, []).append(route.source)
    knobs = [
        _knob(address, param, preset.base[address], routes.get(address, [])) for address, param in preset.params.items()
    ]
    return {"number": glance.scene.number, "knobs": knobs}


def _knob(address: str, param: Param, base: Value, sources: list[str]) -> dict[str, Any]:
    return {
        "address": address,
        "kind": param.kind,
        "label": param.label or param.name.replace("_", " "),
        "low": param.low,
        "high": param.high,
        "base": base,
        "unit": param.unit,
        "values": param.values,
        "labels": param.labels,
        "from": sources,
    }
