"""What is held about a person, shown to them and handed out: one page, and four copies with the same content."""
