"""Storage: files that are complete or absent, and that say what made them.

Others use `atomic`, `weights`, `cards`, `parquet` and `bank`.
"""
