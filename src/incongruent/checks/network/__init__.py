"""Is the network right? Recovery, calibration, classifier tests, and what held training up.

Others use `recovery`, `calibration`, `uniformity`, `neighbourhood`, `quality`, `diagnosis` and
`c2st`.
"""
