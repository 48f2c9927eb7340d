"""Text that is burned into a film is overwritten: boxes that an admin draws, carried out by a worker."""
