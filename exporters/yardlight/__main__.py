"""`python -m yardlight` is the same as the `yardlight` command."""

from yardlight.cli import main

raise SystemExit(main())
