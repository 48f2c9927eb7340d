"""What happens to a file between the door and the store; nothing here knows Django or the database."""
