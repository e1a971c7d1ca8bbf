"""The model: where do data differ from what the fitted model predicts, and which extension explains
it?

Others use `predictive`, `panel`, `candidates` and `extension`.
"""
