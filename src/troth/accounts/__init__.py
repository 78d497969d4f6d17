"""Members: opening an account, logging in, closing it, and deleting it with everything that is held."""
