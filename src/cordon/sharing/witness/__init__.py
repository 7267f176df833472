"""Ledgers that watch each other: nodes check, keep and cosign each other's checkpoints."""
