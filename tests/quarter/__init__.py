"""A quarter of a fleet of 50 terminals, 40 feeds and trucks with tablets: what is told, and what nobody called for."""
