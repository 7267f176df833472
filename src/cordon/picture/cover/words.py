"""Words of cover that its page shows from data, marked so that the catalogues gather them."""

from __future__ import annotations


def N_(message: str) -> str:
    """Mark a message for the catalogues without translating it here."""
    return message


LABELS = {
    "person": N_("person"),
    "vehicle": N_("vehicle"),
    "vessel_without_ais": N_("vessel without AIS"),
    "vessel_class_b": N_("vessel with AIS of class B"),
    "vessel": N_("vessel with AIS"),
    "aircraft": N_("aircraft"),
    "ais_receiver": N_("AIS receiver"),
    "radar": N_("radar"),
    "ground_sensor": N_("ground sensor"),
    "camera": N_("camera"),
    "drone": N_("drone"),
    "patrol": N_("patrol"),
}
"""What targets and kinds of sensor are called, by the word that files have for them."""
STATES = (N_("working"), N_("less"), N_("down"), N_("unknown"))
WHY = (
    N_("it misses signs of life that are due"),
    N_("nothing came from it for far longer than is usual"),
    N_("nothing comes from it just now"),
    N_("it is out of order"),
    N_("it is off duty"),
    N_("its feed is not connected"),
    N_("its feed is silent"),
    N_("its feed is late"),
    N_("its feed sends what cannot be read"),
    N_("its feed was disconnected"),
)
NOTES = (
    N_("nothing was ever heard from it"),
    N_("where it stands is not known"),
    N_("its range is not known"),
    N_("nobody can tell whether it works: too little was heard from it"),
    N_("it is known by its reports alone"),
    N_("the unit that carries it is not heard"),
)
