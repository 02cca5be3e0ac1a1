"""Performer: sound and gestures in, generated pictures out, live and offline."""

import os

__version__ = "0.1.0"

os.environ["ORT_DISABLE_TELEMETRY"] = "1"  # ONNX Runtime calls home from its import on; later is too late
