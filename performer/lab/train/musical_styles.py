"""Styles of drumming, chord progressions, scales and instruments: what composed songs are made of."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Style:
    """How a kind of music beats.

    tempo     lowest and highest, beats per minute
    beats     beats per bar; steps per beat
    kick, snare, hat  chances (0..9) for each step of a bar, as digits
    swing     greatest delay of every second step, in steps
    """

    name: str
    weight: float
    tempo: tuple[float, float]
    beats: int
    steps: int
    kick: str
    snare: str
    hat: str
    electronic: float = 0.2
    swing: float = 0.0
    bass: str = "any"
    chords: str = "any"


def _read(table: str) -> tuple[Style, ...]:
    made = []
    for line in table.strip().splitlines():
        name, weight, tempo, size, kick, snare, hat, electronic, swing, bass, chords = line.split()
        low, high = tempo.split("-")
        beats, steps = size.split("x")
        made.append(
            Style(
                name,
                float(weight),
                (float(low), float(high)),
                int(beats),
                int(steps),
                kick,
                snare,
                hat,
                float(electronic),
                float(swing),
                bass,
                chords,
            )
        )
    return tuple(made)


#: Name, weight, tempo, beats x steps, chances of kick, snare and hat, electronic, swing, bass, chords.
STYLES = _read("""
house         8  116-132 4x4 9000900090009000 0000900000009001 2090209020902090 0.9 0.2  off      stab
techno        8  124-150 4x4 9001900190009002 0000500000005000 4292429242924292 1   0    run      stab
trance        5  132-145 4x4 9000900090009000 0000900000009000 2292229222922292 1   0    off      run
hard          2  150-190 4x4 9000900090009000 0000700000007000 0090009000900090 1   0    off      any
disco         4  104-130 4x4 9000900090009000 0000900000009000 9292929292929292 0.4 0.1  octave   any
rock          12 84-168  4x4 9000003090400000 0000900000009000 9080908090809080 0.1 0.1  any      any
rock2         8  84-180  4x4 9020004090300020 0000900000009010 9080908090809080 0.1 0    any      any
punk          4  150-214 4x2 90309030         09090909         99999999         0   0    eighth   eighth
metal         4  100-190 4x4 9595959595959595 0000900000009000 9000900090009000 0   0    run      eighth
half          5  120-160 4x4 9000002000300000 0000000090000000 9390939093909390 0.6 0    any      any
hiphop        7  76-104  4x4 9002003050902010 0000900100009002 9080908290809082 0.5 0.45 any      any
trap          4  130-160 4x4 9000003000900020 0000000090000000 9494949994949599 0.9 0    long     any
breaks        6  110-140 4x4 9090000000905000 0000900301009003 9080908090809080 0.4 0.2  any      any
drum-and-bass 6  160-180 4x4 9000000002900000 0000900201009020 9090909090909090 0.6 0.1  long     any
amen          4  130-178 4x4 9090000000950000 0000900901009009 9090909090909090 0.2 0.1  any      any
funk          6  88-124  4x4 9030007201500300 0000900302029003 9595959595959595 0   0.3  any      any
reggae        5  64-92   4x4 1000000090000000 0000000090000000 9030903090309030 0.1 0.35 sparse   skank
dub           4  62-90   4x4 9000800090008000 0000000090000000 0090009000900090 0.4 0.3  sparse   skank
steppers      2  68-84   4x4 9000900090009000 0000000090000000 9090909090909090 0.5 0.2  sparse   skank
dancehall     4  88-110  4x4 9000009000003000 0002009000090000 9090909090909090 0.6 0    sparse   any
latin         4  90-126  4x4 9000009090000090 0009000000900000 9393939393939393 0.1 0    tresillo syncopated
bossa         3  100-150 4x4 9000009090000090 9009000000900900 9090909090909090 0   0    tresillo syncopated
jazz          4  90-214  4x3 300100300200     001001001002     900902900902     0   0    walk     syncopated
shuffle       4  90-150  4x3 900000902001     000900000900     902902902902     0   0    walk     any
waltz         6  84-200  3x2 900000           005050           909090           0   0.1  one      waltz
three         4  76-160  3x4 900000000030     000090009000     908090809080     0.2 0    any      any
slow-six      4  55-84   2x3 900002           000900           999999           0.1 0    any      any
six           4  120-214 6x2 900000200000     000000900000     909090909090     0.1 0    one      arp
jig           2  90-130  2x3 900300           002900           999999           0.1 0    any      any
seven         3  120-214 7x2 90000090000000   00009000009000   90909090909090   0.2 0    any      any
five          2  90-180  5x2 9000090000       0000900090       9090909090       0.1 0    any      any
ballad        5  58-90   4x4 9000000030900000 0000900000009000 9080908090809080 0.1 0    any      any
march         2  90-130  4x2 90009000         09390939         90909090         0   0    any      any
tom-groove    3  80-160  4x4 9003009000300090 0002000000020000 3030303030303030 0.2 0.1  any      any
""")

#: Styles whose loudest strokes lie between the beats; songs of `arrange` draw from these too.
LEANING = _read("""
polka         3 92-140  4x2 90909090         09090909         99999999         0.1 0    one      skank
double        4 80-126  4x4 9001900390039001 0090009000900090 9090909090909090 0.2 0    any      any
ska           3 90-140  4x4 9000900090009000 0000900000009000 0090009000900090 0   0.1  walk     skank
one-drop      4 60-92   4x4 0000000090000000 0000000090000000 2090209020902090 0.2 0.3  sparse   skank
off-hat       4 108-142 4x4 7000900070009000 0000300000003000 0090009000900090 0.8 0.1  off      stab
electro       3 108-132 4x4 9000003000900900 0000900000009000 9090909090909090 1   0    syncopated stab
samba         2 88-130  4x4 9009900990099009 9099909990999099 9999999999999999 0   0.1  tresillo syncopated
cumbia        2 76-108  4x4 9000900090009000 0000900000009000 9099909990999099 0.1 0    tresillo skank
bell          2 84-130  4x3 900000900000     000003000003     909909090909     0   0    sparse   syncopated
dembow        3 84-108  4x4 9000900090009000 0009009000090090 9090909090909090 0.7 0    one      any
footwork      2 76-84   4x4 9009009090090090 0000000000009000 9090909090909090 0.9 0    sparse   stab
""")

PROGRESSIONS = (
    (0, 5, 3, 4),
    (0, 4, 5, 3),
    (5, 3, 0, 4),
    (0, 3, 4, 3),
    (0, 0, 3, 4),
    (0, 6, 5, 6),
    (0, 0, 0, 0),
    (1, 4, 0, 0),
    (0, 5, 1, 4),
    (0, 2, 3, 4),
    (5, 4, 3, 4),
    (0, 0, 5, 5),
    (0, 3, 0, 4),
)
SCALES = ((0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10), (0, 2, 3, 5, 7, 9, 10), (0, 1, 3, 5, 7, 8, 10))

#: General MIDI programs, from 0.
BASSES = (32, 33, 34, 35, 36, 38, 39, 38, 39)
CHORDS = (0, 4, 5, 16, 18, 24, 25, 26, 27, 29, 30, 48, 50, 61, 62, 80, 81, 88, 89, 90)
LEADS = (0, 11, 13, 26, 29, 30, 40, 56, 65, 68, 73, 79, 80, 81, 82, 84, 85, 87, 104, 108)
