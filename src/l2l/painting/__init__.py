"""A user's own picture in a style: reading it, painting, and writing the result and its course."""
