"""The model: where do data differ from what the fitted model predicts, and what would explain it?

Others use `predictive`, `panel`, `relevance`, `which_variant`, `candidates`, `extension` and
`ranking`.
"""
