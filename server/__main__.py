"""`python -m server` is the `yanlu` command."""

import sys

from .cli import main

sys.exit(main())
