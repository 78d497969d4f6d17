"""The rights desk: people's requests from the moment they arrive to the answer, by whatever way they come in."""
