"""The pages on which people exercise their rights: asking, following a link in a message, and the privacy centre."""
