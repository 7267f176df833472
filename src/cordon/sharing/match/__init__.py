"""Does another agency know this one? Asked without telling which, by an oblivious function."""
