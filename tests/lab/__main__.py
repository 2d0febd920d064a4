"""`python -m tests.lab`."""

from tests.lab.run import main

raise SystemExit(main())
