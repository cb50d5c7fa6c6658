"""Pages that predict the galaxies of a visitor."""
