"""The control page's server: static files, small pictures, and a web socket to whoever has the page's address.

Other pages in the same browser must not drive the show: the address holds a random word, a request must name this
machine as its host (against DNS rebinding), and a web socket must come from this very page.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import secrets
import socket
import threading
from collections.abc import Awaitable, Callable, MutableMapping, Sequence
from pathlib import Path
from queue import SimpleQueue
from time import monotonic
from typing import Any

from performer.io.page.client_session import ClientSession, OffspringPool
from performer.io.page.protocol import MOST_CHARACTERS
from performer.io.page.state_publisher import WIDTH, StatePublisher
from performer.io.page.thumbnails import LivePicture, Thumbnails
from performer.system.errors import Fault
from performer.system.extras import install_line
from performer.types.frame import ControlEvent

log = logging.getLogger(__name__)
STATIC = Path(__file__).parent / "static"
FILES = {
    "": ("index.html", "text/html"),
    "page.js": ("page.js", "text/javascript"),
    "parts.js": ("parts.js", "text/javascript"),
    "page.css": ("page.css", "text/css"),
    "icon.svg": ("icon.svg", "image/svg+xml"),
}
MOST_VISITORS = 8
STOP_LOOK_S = 0.2
BEAT_S = 10.0  # between two pings of a web socket, and for the answer to each
STALLED_S = 20.0  # who takes nothing of what was sent for so long, though the machine is there, is cut off
LOST = b"Wrong address. Open the one that `performer play` printed.\n"

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Page:
    """A page on `host` and `port`, for whoever knows `token`.

    Parameters
    ----------
    events : SimpleQueue[ControlEvent]
        Gets gestures.
    now : callable
        The show's clock.

    Raises
    ------
    Fault
        Where the extra is missing or the port is taken.
    """

    def __init__(
        self,
        host: str,
        port: int,
        *,
        events: SimpleQueue[ControlEvent],
        now: Callable[[], float],
        board: StatePublisher,
        thumbnails: Thumbnails,
        token: str | None = None,
    ) -> None:
        try:
            import starlette  # noqa: F401
            import uvicorn  # noqa: F401
            import websockets  # noqa: F401
        except ImportError as error:
            raise Fault(f"--page needs the extra `page` ({error.name} is missing): {install_line('page')}") from None
        try:
            family = socket.AF_INET6 if ":" in host else socket.AF_INET
            self._socket = socket.create_server((host, port), family=family)
        except OSError as error:
            raise Fault(
                f"--page {port}: cannot listen on {host}: {error.strerror or error}; another port, perhaps?"
            ) from None
        self.host, self.port = host, self._socket.getsockname()[1]
        self.token = token or secrets.token_urlsafe(16)
        self.board = board
        self.thumbnails = thumbnails
        self._nursery = OffspringPool()
        self._live = LivePicture(board.pictures, WIDTH)
        self._events = events
        self._now = now
        self._visitors: set[ClientSession] = set()
        self._app = _guarded(self._routes(), self.token, self._allowed)

    @property
    def open_to_all(self) -> bool:
        """Whether other machines can reach it."""
        address = _address(self.host)
        return self.host != "localhost" and (address is None or not address.is_loopback)

    @property
    def url(self) -> str:
        """What to type into a browser."""
        host = self.host
        if host in ("0.0.0.0", "::"):
            host = _own_address() or "127.0.0.1"
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}/{self.token}/"

    def notes(self) -> list[str]:
        """Where it is, for whoever starts the show; with a warning where it is open to more than this machine."""
        notes = [f"page: {self.url}"]
        if self.open_to_all:
            notes.append(
                "page: ATTENTION: other machines in this network can reach it, unencrypted; whoever has the "
                "address can play. Give it to nobody else"
            )
        return notes

    def run(self, stop: threading.Event) -> None:
        """Thread body: serve until told to stop."""
        asyncio.run(self._serve(stop))

    async def _serve(self, stop: threading.Event) -> None:
        import uvicorn

        config = uvicorn.Config(
            self._app,
            log_config=None,
            access_log=False,
            lifespan="off",
            ws="websockets-sansio",
            ws_ping_interval=BEAT_S,
            ws_ping_timeout=BEAT_S,
            ws_max_size=4 * MOST_CHARACTERS,
            ws_per_message_deflate=False,
            server_header=False,
            timeout_graceful_shutdown=1,
            limit_concurrency=64,
            backlog=32,
        )
        for name in ("uvicorn.error", "uvicorn"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
        server = uvicorn.Server(config)
        serving = asyncio.create_task(server.serve(sockets=[self._socket]))
        stalled = Stalled()
        while not stop.is_set() and not serving.done():
            await asyncio.sleep(STOP_LOOK_S)
            stalled.cut([connection.transport for connection in server.server_state.connections], monotonic())
        server.should_exit = True
        for visitor in list(self._visitors):
            visitor.leave()
        await asyncio.wait([serving], timeout=2.0)

    def close(self) -> None:
        """Let go of the port."""
        self._socket.close()

    def _routes(self) -> Any:
        from starlette.applications import Starlette
        from starlette.responses import Response
        from starlette.routing import Route, WebSocketRoute

        async def file(request: Any) -> Response:
            found = FILES.get(request.path_params.get("name", ""))
            if found is None:
                return Response("no such file", 404)
            return Response((STATIC / found[0]).read_bytes(), media_type=found[1])

        async def thumbnail(request: Any) -> Response:
            made = self.thumbnails.get(request.path_params["key"])
            if not made:
                return Response("not there yet", 404)
            return Response(made, media_type="image/jpeg", headers={"Cache-Control": "private, max-age=86400"})

        async def visit(websocket: Any) -> None:
            if len(self._visitors) >= MOST_VISITORS:
                await websocket.close(1013)
                return
            await websocket.accept()
            visitor = ClientSession(
                websocket,
                board=self.board,
                live=self._live,
                thumbnails=self.thumbnails,
                nursery=self._nursery,
                events=self._events,
                now=self._now,
            )
            self._visitors.add(visitor)
            self.board.watched = True
            try:
                await visitor.stay()
            finally:
                self._visitors.discard(visitor)
                self.board.watched = bool(self._visitors)

        return Starlette(
            routes=[
                WebSocketRoute("/socket", visit),
                Route("/thumbnail/{key:str}", thumbnail),
                Route("/", file),
                Route("/{name:str}", file),
            ]
        )

    def _allowed(self, host: str) -> bool:
        """Whether a request may call this machine so: a name that somebody else's DNS may point here is refused."""
        if self.port == 80 and not host.endswith(":80"):  # HTTP's own: browsers leave it out
            host += ":80"
        name, _, port = host.rpartition(":")
        if port != str(self.port):
            return False
        name = name.strip("[]").lower()
        if name == "localhost" or name == self.host.lower():
            return True
        address = _address(name)
        if address is not None:
            return address.is_loopback or self.open_to_all
        return self.open_to_all and name in (socket.gethostname().lower(), f"{socket.gethostname().lower()}.local")


class Stalled:
    """Who takes no more bytes: asyncio would wait for them for ever, also to close."""

    def __init__(self) -> None:
        self._left: dict[asyncio.Transport, tuple[int, float]] = {}  # bytes to be taken, and since when not fewer

    def cut(self, transports: Sequence[asyncio.Transport | None], now: float) -> None:
        """Cut off whoever has taken nothing for STALLED_S seconds; to be called a few times a second."""
        left: dict[asyncio.Transport, tuple[int, float]] = {}
        for transport in transports:
            if transport is not None and (size := transport.get_write_buffer_size()):
                before, since = self._left.get(transport, (size, now))
                left[transport] = (size, since if size >= before else now)
                if now - left[transport][1] > STALLED_S:
                    transport.abort()
        self._left = left


def _guarded(
    app: Callable[[Scope, Receive, Send], Awaitable[None]], token: str, allowed: Callable[[str], bool]
) -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    """The app behind /TOKEN/, for requests that call this machine by its own name and come from its own page."""
    prefix = f"/{token}/"

    async def guard(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            return
        headers: dict[str, str] = {
            key.decode("latin-1").lower(): value.decode("latin-1") for key, value in scope["headers"]
        }
        host, origin, path = headers.get("host", ""), headers.get("origin"), scope["path"]
        known = secrets.compare_digest(path[: len(prefix)].encode(), prefix.encode())
        own = origin == f"http://{host}" or (origin is None and scope["type"] == "http")
        if not (allowed(host) and known and own):
            if scope["type"] == "websocket":
                await receive()
                await send({"type": "websocket.close", "code": 1008})
            else:
                await send(
                    {"type": "http.response.start", "status": 404, "headers": [(b"content-type", b"text/plain")]}
                )
                await send({"type": "http.response.body", "body": LOST})
            return

        async def dressed(message: MutableMapping[str, Any]) -> None:
            if message["type"] == "http.response.start":
                policy = (
                    f"default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
                    f"connect-src 'self' ws://{host}; frame-ancestors 'none'; base-uri 'none'; "
                    "form-action 'none'"
                )
                named = {key.lower() for key, _ in message["headers"]}
                more = [
                    (b"content-security-policy", policy.encode("latin-1")),
                    (b"referrer-policy", b"no-referrer"),
                    (b"x-content-type-options", b"nosniff"),
                    (b"cross-origin-resource-policy", b"same-origin"),
                ]
                if b"cache-control" not in named:
                    more.append((b"cache-control", b"no-store"))
                message["headers"] = [*message["headers"], *more]
            await send(message)

        rest = path[len(prefix) - 1 :]
        await app({**scope, "path": rest, "raw_path": rest.encode()}, receive, dressed)

    return guard


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _own_address() -> str | None:
    """This machine's address in its own network; nothing is sent to find it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))  # an address for documentation: no route leads to a real machine
            return str(probe.getsockname()[0])
        except OSError:
            return None
