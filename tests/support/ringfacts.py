"""Facts of groups of lines made by hand: a centre, an office, a box, a floor whose SIMs stay."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from cordon.calls.detectors.ringcards import RINGS
from cordon.calls.rings.addresses import Tie
from cordon.calls.rings.ages import Age
from cordon.calls.rings.search import Group
from cordon.calls.rings.weighing import Facts, signs

CENTRE = Facts(
    lines=20, handsets=8, shared=6, sims_a_handset=2.5, handsets_a_sim=3.0, turnover=3.0,
    span_days=14, people=5000, calls=6000, people_a_day=40, back_share=0.2, still=0.9,
    talk_s=700, hours=9, again=1.2, incoming=0.03, named=2, named_by_chance=0.1, victims=5,
    victims_by_chance=0.5, registered=0.0, business=0.0, returned=0.06,
    abroad=0.6, age=Age(told=20, young=5, usual=0.05),
    tie=Tie(seen=18, reached=15, others=1, everybody=5000),
)  # fmt: skip
OFFICE = replace(
    CENTRE, shared=0, sims_a_handset=1.0, handsets_a_sim=1.0, turnover=1.0, named=0, victims=0,
    registered=0.6, business=0.8, returned=0.0,
)  # fmt: skip
FLOOR = replace(CENTRE, turnover=1.0, named=0, victims=0, handsets_a_sim=1.0)
BOX = replace(CENTRE, hours=22, incoming=0.01, again=3.0)


def group(facts: Facts) -> Group:
    none = np.zeros(0, np.int64)
    return Group(none, none, facts, signs(facts, RINGS.values({})))
