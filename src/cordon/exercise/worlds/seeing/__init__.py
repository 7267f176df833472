"""What the worlds `coast` and `frontier` share: motion, sensors' tracks, and how it is written."""
