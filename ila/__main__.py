"""`python -m ila` is the command `ila`."""

from ila.cli import main

main()
