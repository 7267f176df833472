"""What several behaviours read of the same tracks, each thing computed once.

Each module here owns what it keeps by `Tracks.once` and gives it out through one function:
`parted.parted_of` (which fixes are one hull's), `samples.samples_of` (positions on a common
grid), `crafts.crafts_of` (who is at sea, on land, our own), `states.states_of` (in port, at
anchor, moored), `doubles.doubles_of` (one hull under two identities), `shore.shore_of` (where the
land is). `nearness.py` and `sun.py` keep nothing.
"""
