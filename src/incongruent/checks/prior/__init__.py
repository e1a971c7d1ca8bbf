"""The prior: is it where the people are, and which would be better?

Others use `population` and `suggestion`.
"""
