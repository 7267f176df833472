"""The parts of the world `coast`."""
