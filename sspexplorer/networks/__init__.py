"""Networks that answer with a point: one a parameter."""
