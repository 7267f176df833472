"""Releases: what goes to another agency, what became of it there, and its recall."""
