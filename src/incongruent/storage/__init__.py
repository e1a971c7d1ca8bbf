"""Storage: files that are whole or absent, and that say what made them.

Others use `atomic`, `weights`, `cards`, `parquet` and `bank`.
"""
