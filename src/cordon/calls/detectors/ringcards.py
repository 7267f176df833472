"""The cards that the detectors of rings and of SIM boxes share.

Both look at the same groups, and each must know what is the other's.
"""

from __future__ import annotations

from pathlib import Path

from cordon.kernel.cards import load_card

RINGS = load_card(str(Path(__file__).with_name("call_centre.py")))
BOXES = load_card(str(Path(__file__).with_name("simbox.py")))
