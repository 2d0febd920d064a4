"""Feeds: whether what a vendor's API answers is new, whole and what it used to be."""
