# What a Standard MIDI File plays, second by second, and what was odd about the file.
# python docs/examples/read_a_midi_file.py SONG.mid
import sys
from pathlib import Path

from performer.io.midi.midi_file import perform

played = perform(Path(sys.argv[1]).read_bytes())
for seconds, message in played.messages:
    if message[0] & 0xF0 == 0x90 and message[2]:
        print(f"{seconds:8.3f} s  channel {(message[0] & 0x0F) + 1:2}  note {message[1]:3}  velocity {message[2]}")
print(f"{played.seconds:.2f} s, {len(played.messages)} messages")
print(*played.notes, sep="\n")
