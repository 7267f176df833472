"""Hand-over at the change of watch: what is open, was done and waits, signed for by who comes."""
