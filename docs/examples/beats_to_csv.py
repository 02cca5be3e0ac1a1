# The beats of a song as a table that a spreadsheet or a video editor reads: seconds, and whether a bar begins.
# python docs/examples/beats_to_csv.py SONG beats.csv
import csv
import sys

from performer.audio.analyse_file import analyse
from performer.io.sound import sound_file

song, out = sys.argv[1:]
rate = sound_file.probe(song).rate
heard = analyse((block.mean(axis=1) for block in sound_file.blocks(song, rate)), rate)
bars = {round(bar["t"], 3) for bar in heard["downbeats"]}
with open(out, "w", newline="", encoding="utf-8") as file:
    table = csv.writer(file)
    table.writerow(["seconds", "downbeat"])
    table.writerows([f"{beat['t']:.3f}", int(round(beat["t"], 3) in bars)] for beat in heard["beats"])
