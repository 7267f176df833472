"""The parts of the world `frontier`."""
