"""A quarter of a fleet of 50 terminals, 3 000 tablets and 40 feeds: what of what is told was not called for."""
