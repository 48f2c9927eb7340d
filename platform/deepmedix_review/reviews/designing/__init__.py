"""The page on which an admin designs a reader study and sees what it will cost."""
