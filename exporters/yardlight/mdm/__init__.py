"""Tablets as their MDM sees them: which have gone silent, which of those should be, which vanished."""
