"""Measures Cordon beside its peers in one run, interleaved."""
