"""Yardlight: monitoring for the IT of companies that run trucks."""

__version__ = "0.1.0"
