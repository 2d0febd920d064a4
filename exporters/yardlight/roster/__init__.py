"""The roster against what vendors know: its first draft, what differs, and all that is known of one truck."""
