# What performer hears in a song: beats, downbeats, tempo and onsets, as the live analyser announces them.
# python docs/examples/analyse_a_file.py SONG analysis.json
import json
import sys

from performer.audio.analyse_file import analyse
from performer.audio.beat_network import beat_net
from performer.io.sound import sound_file

song, out = sys.argv[1:]
rate = sound_file.probe(song).rate
heard = analyse((block.mean(axis=1) for block in sound_file.blocks(song, rate)), rate, beat_net())
with open(out, "w", encoding="utf-8") as file:
    json.dump(heard, file, indent=1)
print(f"{len(heard['beats'])} beats, {len(heard['onsets'])} onsets, {heard['tempo'][-1]['bpm']:.1f} bpm at the end")
