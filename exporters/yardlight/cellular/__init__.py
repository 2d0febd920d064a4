"""Exporter 2: which SIM, pool or plan will reach its cap before the cycle ends, when, and because of whom.

What platforms say comes in as the records of `usage`; `history` keeps what must be remembered of them between two
collections; everything else is a pure function of both and of an instant.
"""
