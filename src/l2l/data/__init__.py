"""What comes from where, verified: a dataset is a name and the SHA-256 of its decoded arrays."""
