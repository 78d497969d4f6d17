"""What people can ask for about their own data, from the question to the answer."""
