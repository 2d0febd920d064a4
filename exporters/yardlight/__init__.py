"""Yardlight: monitoring for the IT of companies that run trucks."""

__version__ = "1.0.0rc1"
