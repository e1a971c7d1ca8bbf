"""The model: where do data differ from what the fitted model predicts, and what would explain it?

Others use `predictive`, `panel`, `relevance`, `which_variant`, `under_variant`, `moves`,
`variant_sentences`, `candidates`, `extension` and `ranking`.
"""
