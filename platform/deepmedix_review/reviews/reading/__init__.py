"""Reading one case: what its page shows, each change that a reader makes, and the signature."""
