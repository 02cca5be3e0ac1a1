"""A show on made sound, step by step."""

from parts.scenes import TEXT, make
from performer.show.show import Show
from performer.types.features import Features, Sound

SECOND = TEXT.replace("First", "Second").replace("order = 1", "order = 2")


def show(seed: int = 0) -> Show:
    return Show([make(), make(SECOND, "second")], "first", seed=seed)


def run(it: Show, seconds: float, fps: int = 60, features=lambda t: Features(t=t), events=(), start: float = 0.0):
    frames = []
    pending = sorted(events, key=lambda e: e.t)
    for i in range(round(seconds * fps)):
        t = start + (i + 1) / fps
        due = [e for e in pending if e.t <= t]
        pending = pending[len(due) :]
        frames.append(it.step(t, 1 / fps, (640, 360), features(t), Sound(), due))
    return frames


def loud(t, kick=0.0, **more):
    return Features(t=t, values={"level": 0.8, "bass": 0.9, "treble": 0.1, "onset": kick, "kick": kick}, **more)
