"""Exporter 1: is each terminal on fiber, on LTE or dark, and how long did each switch take.

Read in this order: `packets` (bytes), `sockets` (what the kernel gives), `engine` (when to send), `silence`, `verdict`
and `pins` (pure judgement), `exporter` (one terminal, wired).
"""
