"""Performer: sound and gestures in, generated pictures out, live and offline."""

__version__ = "0.1.0"
