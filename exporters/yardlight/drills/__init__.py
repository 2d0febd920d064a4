"""Failover drills: playbooks as data, a runner that can always undo, and evidence that shows every edit.

Only a drill acts on a terminal (DESIGN rule 9). Everything that judges is pure; what acts writes its intent to a
journal on disk before it does anything, and a guard in the terminal's own `serve` holds the undo.
"""
