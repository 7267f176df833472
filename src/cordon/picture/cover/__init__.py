"""Cover: which sectors the agency sees now, by what, and where it has been blind for too long.

`reading.read_sensors` reads what sensors there are, `signs.Signs` what was heard from each,
`sectors.sectors_of` what each patrol sector's plan asks for; `cover.Cover` puts them together
over a span, `uncovered.find` makes findings of it, `view.py` what a page and a map show.
"""
