"""The page and the executed reports: what a reader of a run opens first."""
