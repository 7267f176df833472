"""`python -m cordon`: the command, where its script is not on the path."""

from cordon.cli import main

main()
