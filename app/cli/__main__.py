"""`python -m app.cli`: the command `dai` where it is not installed."""

from app.cli import main

main()
