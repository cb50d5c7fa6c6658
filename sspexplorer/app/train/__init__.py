"""Pages that train networks, and what they are trained on."""
