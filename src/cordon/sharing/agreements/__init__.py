"""Agreements: what agencies may give one another, as a lawyer reads it and as the gate runs it."""
