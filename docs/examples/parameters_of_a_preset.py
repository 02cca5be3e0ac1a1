# Every parameter of a preset with its address, its range, its value at rest and what moves it.
# python docs/examples/parameters_of_a_preset.py tidal
import sys

from performer.rig.loading import load_library

preset = load_library().find(sys.argv[1])
moved = {route.target: route.source for route in preset.routes}
for address, param in preset.params.items():
    print(f"{address:36} {param.kind:8} {param.low} .. {param.high}  at rest {preset.base[address]}", end="")
    print(f"  moved by {moved[address]}" if address in moved else "")
