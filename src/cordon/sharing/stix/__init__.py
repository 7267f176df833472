"""STIX 2.1: shapes of objects as data, their check, and their handling marks."""
