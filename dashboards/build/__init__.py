"""The boards as Python: a panel is a function call, the JSON is what it builds.

After a change: `python -m dashboards.build`, and commit both.
"""
