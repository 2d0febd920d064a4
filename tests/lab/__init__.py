"""The lab: a yard, its two circuits, the internet and a centre in network namespaces, with faults.

`python -m tests.lab` runs the measurements of bars 1 to 5 on real packets and prints measured against truth.
No root is needed. Nothing outside the namespaces is touched.
"""
