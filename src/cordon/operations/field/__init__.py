"""Phones in the hands of units: what they say, kept once and in order, however late it comes."""
