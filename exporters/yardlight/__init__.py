"""Yardlight: monitoring for the IT of companies that run trucks."""

import os

__version__ = "1.0.0rc1"

# Threads of the linear algebra wait for each other without sleep: on matrices as small as ours they take several times
# the processor time and save none. It is read when numpy is imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
