"""Units used between rooms: metres, seconds, degrees. Others are converted at the edge."""

METRES_PER_NAUTICAL_MILE = 1852.0  # exact, International Hydrographic Conference 1929
KNOTS_PER_MS = 3600.0 / METRES_PER_NAUTICAL_MILE
MS_PER_KNOT = METRES_PER_NAUTICAL_MILE / 3600.0


def knots(metres: float, seconds: float) -> float:
    """Speed (kn) of a way (m) made in a time (s); infinite where the time is zero."""
    if seconds <= 0:
        return float("inf") if metres > 0 else 0.0
    return metres / seconds * KNOTS_PER_MS
