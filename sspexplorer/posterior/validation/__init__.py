"""How posteriors keep what they promise: what is measured, and the record of it."""
