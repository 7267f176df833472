"""Deconfliction: planned acts of all agencies checked against each other, by pointers."""
