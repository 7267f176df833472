"""What came back after a disruption, against what would have been expected without it."""

from cordon.money.effect.ratio import Effect, Untold, effect, pooled

__all__ = ["Effect", "Untold", "effect", "pooled"]
