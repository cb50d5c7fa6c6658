"""Pages that show how far predictions can be trusted."""
