"""Posteriors of stellar populations from photometry, by networks."""
