"""`python -m l2l` is `l2l`."""

from l2l.cli import main

main()
