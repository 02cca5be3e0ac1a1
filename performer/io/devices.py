"""What can be heard and played here: sound inputs and outputs, MIDI ports."""

from __future__ import annotations

from typing import Any

from performer.io.midi import ports
from performer.io.sound import portaudio
from performer.system.errors import Fault


def list_devices() -> dict[str, Any]:
    """{"inputs", "outputs": [{"index", "name", "api", "channels", "rate", "default"}], "midi": [...], "notes": [...]}.

    `notes` says, a line each, what is missing and what mends it.
    """
    found: dict[str, Any] = {"inputs": [], "outputs": [], "midi": [], "notes": []}
    try:
        with portaudio.blocking_call():
            import sounddevice as sd

        apis = [api["name"] for api in sd.query_hostapis()]
        for index, device in enumerate(sd.query_devices()):
            for kind, way in (("input", 0), ("output", 1)):
                channels = device[f"max_{kind}_channels"]
                if channels:
                    found[f"{kind}s"].append(
                        {
                            "index": index,
                            "name": device["name"],
                            "api": apis[device["hostapi"]],
                            "channels": channels,
                            "rate": device["default_samplerate"],
                            "default": index == sd.default.device[way],
                        }
                    )
    except OSError:
        found["notes"].append("PortAudio is missing: sudo apt-get install -y libportaudio2")
    except Exception as error:  # PortAudioError: no host API at all
        found["notes"].append(f"PortAudio finds nothing: {' '.join(str(error).split())}")
    try:
        found["midi"] = ports.ports()
    except Fault as fault:
        found["notes"].append(str(fault))
    return found
