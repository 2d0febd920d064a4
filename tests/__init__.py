"""Tests; a package so that the lab can be run by `python -m tests.lab`."""
