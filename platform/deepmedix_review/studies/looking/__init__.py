"""A person's look at films on which a name may be written, before anybody else gets them."""
