"""Migrations of the node's database, applied in order when a node starts."""
