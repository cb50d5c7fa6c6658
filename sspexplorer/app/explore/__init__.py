"""Pages that show what makes the colours of a stellar population."""
