"""`python -m server` is the `yanlu` command."""

from .cli import run

run()
