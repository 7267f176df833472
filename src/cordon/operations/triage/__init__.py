"""Which alert needs somebody first: points for each of its sides, and the clock that moves them."""
