"""What vendors call us with: who signed it, what was counted of it, and since when there is silence."""
