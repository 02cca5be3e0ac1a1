"""How long it takes from a sound to the picture it moves, part by part, and how far ahead beats are predicted."""

from __future__ import annotations

from math import isfinite

import numpy as np

from performer.audio.spectrum import window, window_size

KEPT = 512  # pictures that the figures look back over
READ_EVERY = 30  # pictures between two looks at the figures
RECENT = 60  # pictures by whose median beats are drawn ahead
SETTLE_S = 0.5  # time constant with which the look-ahead follows the median
SEEN = 0.01  # 20 dB below the full power: an attack stands out by more than that
GOLDEN = 0.6180339887498949  # steps of it fill 0..1 evenly

#: The parts in the order that sound goes through them; their sum is `total`.
PARTS = {
    "device": "audio input",
    "hop": "waiting for the next hop and frame",
    "window": "onset rising in the analysis window",
    "analysis": "analysis, and waiting for a frame",
    "draw": "rendering the frame",
    "present": "presentation, to the middle of the scan-out",
    "outside": "external latency (display, audio output), as calibrated or given",
}


def window_delay_s(rate: int) -> float:
    """Seconds until SEEN of a lasting sound's power stands in the analysis window: when an attack begins to show.

    Parameters
    ----------
    rate : int
        Samples per second.
    """
    power = np.cumsum(window(window_size(rate))[::-1] ** 2)  # of a sound that began so many samples ago
    return float(np.searchsorted(power, SEEN * power[-1]) + 1) / rate


class Latency:
    """Measures one show; fed once a picture, by the thread that shows it. Nothing is allocated while playing.

    Parameters
    ----------
    interval_s : float
        Seconds between two pictures, the first guess of how long one takes.
    scan_s : float, optional
        From the start of a screen's scan-out to its middle; 0 where there is no screen.
    outside_s : float, optional
        Delay that no clock of this program sees, -1..1: positive where pictures are late, negative where the
        loudspeakers are.
    """

    def __init__(self, interval_s: float, scan_s: float = 0.0, outside_s: float = 0.0) -> None:
        self.scan_s = scan_s
        self.outside_s = outside_s
        self.pictures = 0
        self._names = (*PARTS, "total")
        self._rows = np.full((len(self._names), KEPT), np.nan)
        self._draw, self._present = self._names.index("draw"), self._names.index("present")
        self._lead_s = self._typical_s = 0.5 * interval_s
        self._heard_t = float("nan")
        self._place = 0.0
        self._recent = np.zeros(RECENT)
        self._note: tuple[int, str, tuple[tuple[str, str], ...]] = (-1, "", ())

    @property
    def look_ahead_s(self) -> float:
        """From the moment a picture is begun to that in which it is seen in time with what is heard."""
        return self._lead_s + self.scan_s + self.outside_s

    def shown(
        self,
        begun: float,
        drawn: float,
        shown: float,
        heard_t: float = float("nan"),
        device_s: float = 0.0,
        window_s: float = 0.0,
    ) -> None:
        """A picture was begun, drawn and shown at these times, in seconds on the show's clock.

        Parameters
        ----------
        heard_t : float, optional
            When the newest sample that it knows of sounded; NaN when nothing is heard.
        device_s : float, optional
            How old a sample is when it arrives.
        window_s : float, optional
            See `window_delay_s`.
        """
        column = self._rows[:, self.pictures % KEPT]
        column[:] = np.nan
        column[self._draw], column[self._present] = drawn - begun, shown - drawn + self.scan_s
        if isfinite(heard_t):
            # A sound falls anywhere between the newest samples of the last picture and of this one.
            step = heard_t - self._heard_t
            if 0.0 < step < 1.0:
                self._place = (self._place + GOLDEN) % 1.0
                column[:4] = device_s, self._place * step, window_s, begun - heard_t - device_s
                column[6] = self.outside_s
                column[7] = column[:7].sum()
            self._heard_t = heard_t
        self._recent[self.pictures % RECENT] = shown - begun
        self.pictures += 1
        if self.pictures % READ_EVERY == 0 or self.pictures == 5:
            self._typical_s = float(np.median(self._recent[: self.pictures]))
        settled = min(1.0, (shown - begun) / SETTLE_S)
        self._lead_s += (self._typical_s - self._lead_s) * settled

    def ms(self, part: str, share: float = 0.5) -> float:
        """Quantile (share 0..1) of a part, or of the `total`, in milliseconds; NaN before it was measured."""
        row = self._rows[self._names.index(part)]
        known = row[np.isfinite(row)]
        return float(np.quantile(known, share)) * 1000.0 if len(known) else float("nan")

    def figures(self) -> dict[str, dict[str, float]]:
        """{part or "total": {"p50_ms", "p95_ms"}, "look_ahead": {"p50_ms"}} of the last KEPT pictures.

        Parts that were never measured are left out.
        """
        found = {
            name: {"p50_ms": round(self.ms(name), 2), "p95_ms": round(self.ms(name, 0.95), 2)}
            for name in self._names
            if isfinite(self.ms(name))
        }
        return found | {"look_ahead": {"p50_ms": round(self.look_ahead_s * 1000.0, 2)}}

    def line(self) -> str:
        """One line for people: the whole, its parts (medians), the look-ahead; "" before anything was heard."""
        return self._read()[1]

    def rows(self) -> tuple[tuple[str, str], ...]:
        """The same as short rows (label, text) for a panel."""
        return self._read()[2]

    def _read(self) -> tuple[int, str, tuple[tuple[str, str], ...]]:
        if self._note[0] != self.pictures // READ_EVERY:
            line, rows = "", tuple[tuple[str, str], ...]()
            if isfinite(self.ms("total")):
                parts = [f"{name} {self.ms(name):.0f}" for name in PARTS if name != "outside" or self.outside_s]
                whole, worst = f"{self.ms('total'):.0f} ms", f"p95 {self.ms('total', 0.95):.0f}"
                ahead = f"{self.look_ahead_s * 1000.0:.0f} ms ahead"
                line = f"sound to picture {whole} ({worst}): {', '.join(parts)}; beats drawn {ahead}"
                rows = (
                    ("delay", f"{whole}  {worst}   beats {ahead}"),
                    *(("", "  ".join(parts[at : at + 3])) for at in range(0, len(parts), 3)),
                )
            self._note = (self.pictures // READ_EVERY, line, rows)
        return self._note
