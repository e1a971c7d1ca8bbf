"""What every room needs; nothing here knows of trials or models.

Others use `plain` (values as plain Python), `options` (checked settings), `streams` (random numbers
from a seed), `packing` (functions that travel to other processes), `csvs` (tables of results),
`numerals` (numbers as people read them) and `notebook` (what notebooks show).
"""
