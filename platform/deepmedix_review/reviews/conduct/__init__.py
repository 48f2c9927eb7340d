"""A reader study on its way: who has read what, where readers disagree, and what an admin does to it."""
