"""What an expert finds on coming in: invitations, pools, and the cases to read."""
