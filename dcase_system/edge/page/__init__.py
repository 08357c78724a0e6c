"""A page that classifies scenes in the browser."""
